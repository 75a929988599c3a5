// Elements are made, never parsed from text: what a document or an error says stays text.

import { age, moment, NONE } from "./format.js";

/** Return an element; what is not a node among its children becomes text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export function timeOf(text, now) {
  if (!text) return NONE;
  return element("time", { datetime: text, title: moment(text) }, age(text, now));
}

export function figure(label, value, note) {
  return element(
    "div",
    { class: "figure" },
    element("dt", {}, label),
    element("dd", {}, value, note ? element("small", {}, note) : null),
  );
}

export function figures(...items) {
  return element("dl", { class: "figures" }, ...items);
}

/**
 * Return a table.
 *
 * @param {string} caption What it says, for whoever hears it.
 * @param {{name: string, isNumber?: boolean}[]} columns
 * @param {{cells: (Node|string)[], attributes?: object}[]} rows
 */
export function table(caption, columns, rows) {
  const heads = columns.map((column) =>
    element("th", { scope: "col", class: column.isNumber ? "number" : null }, column.name),
  );
  const body = rows.map((row) =>
    element(
      "tr",
      row.attributes ?? {},
      row.cells.map((cell, index) =>
        element(
          index === 0 ? "th" : "td",
          {
            scope: index === 0 ? "row" : null,
            class: columns[index].isNumber ? "number" : null,
            "data-label": columns[index].name,
          },
          cell,
        ),
      ),
    ),
  );
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      { class: columns.length < 4 ? "few" : null },
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, heads)),
      element("tbody", {}, body),
    ),
  );
}

export function badge(text, kind) {
  return element("span", { class: `badge ${kind}` }, text);
}

const BASE = new URL("..", window.location.href);

/** Return the frame around this page when it is Airflow's, else null. */
export function airflow() {
  if (window.parent === window) return null;
  try {
    return window.parent.location.origin === window.location.origin ? window.parent : null;
  } catch {
    return null; // framed by somebody else
  }
}

/** Return a link into Airflow's own pages, or to another site in a tab of its own. */
export function link(path, text, isOutside = false) {
  const made = element("a", { href: isOutside ? path : new URL(path, BASE).href }, text);
  if (isOutside) {
    made.target = "_blank";
    made.rel = "noopener noreferrer";
  } else made.target = "_top";
  // The frame may neither leave itself nor open tabs; a link of the page around it may.
  made.addEventListener("click", (event) => {
    const around = airflow();
    if (!around) return;
    event.preventDefault();
    const stand = around.document.createElement("a");
    stand.href = made.href;
    stand.rel = made.rel;
    stand.target = isOutside || event.ctrlKey || event.metaKey ? "_blank" : "_self";
    around.document.body.append(stand);
    stand.click();
    stand.remove();
  });
  return made;
}

export function airflowUrl(path) {
  return new URL(path, BASE).href;
}
