"use strict";
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const sort = (column, ascending) => {
    const sign = ascending ? 1 : -1;
    const key = row => row.cells[column].dataset.key;
    const compare = (a, b) => isNaN(a) || isNaN(b) || a === "" || b === "" ? a.localeCompare(b) : a - b;
    body.append(...[...body.rows].sort((a, b) => sign * compare(key(a), key(b))));
    heads.forEach((head, k) => {
      head.removeAttribute("aria-sort");
      if (k === column) head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    });
  };
  const choice = document.createElement("select");
  heads.forEach((head, column) => {
    const button = document.createElement("button"), option = document.createElement("option");
    const isText = !head.classList.contains("figure");
    button.type = "button";
    button.textContent = option.textContent = head.textContent;
    button.addEventListener("click", () => {
      const sorted = head.getAttribute("aria-sort");
      sort(column, sorted ? sorted === "descending" : isText);
      choice.selectedIndex = column;
    });
    head.replaceChildren(button);
    option.selected = head.textContent === "articles";
    choice.append(option);
  });
  choice.addEventListener("change", () => {
    sort(choice.selectedIndex, !heads[choice.selectedIndex].classList.contains("figure"));
  });
  const label = document.createElement("label");
  label.className = "sorting";
  label.append("sort by ", choice);
  table.before(label);
}
