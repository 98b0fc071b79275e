-- Version 3: a checksum for each row (its link included), for each sketch (its keys included) and for the state. dedup fills the
-- columns and then forbids rows without a checksum.

ALTER TABLE articles ADD COLUMN checksum bigint, ADD COLUMN sketch_checksum bigint;
ALTER TABLE state ADD COLUMN checksum bigint;
