import pyarrow as pa
def cleaned(x): return x
def cleaned_titles(x): return x
