// Loads what there is to see, and shows it; again every half minute while somebody looks.

import { askToCancel, askToRequeue } from "./actions.js";
import { airflow, element } from "./elements.js";
import { moment } from "./format.js";
import * as sections from "./sections.js";

const REFRESH_SECONDS = 30;
const NARROW = window.matchMedia("(max-width: 40rem)");

const select = document.querySelector("#spec");
const main = document.querySelector("#content");
const notices = document.querySelector("#notices");
let page = null;
let drawings = 0;

function followTheme() {
  const around = airflow();
  if (!around) return;
  const root = around.document.documentElement;
  const follow = () => {
    document.documentElement.dataset.theme = root.classList.contains("dark") ? "dark" : "light";
  };
  follow();
  new MutationObserver(follow).observe(root, { attributes: true, attributeFilter: ["class"] });
}

/** Return which batch, or which shard of a spec, the address asks for. */
function askedFor() {
  const query = new URLSearchParams(window.location.search);
  const [batch, spec, shard] = ["batch", "spec", "shard"].map((name) => query.get(name));
  return batch || (spec && shard) ? { batch, spec, shard } : null;
}

const asked = askedFor();

async function read(path) {
  const response = await fetch(path, { credentials: "same-origin" });
  if (response.ok) return response;
  if (response.status === 401) throw new Error("You are logged out. Reload the page to log in.");
  const answer = await response.json().catch(() => ({}));
  throw new Error(answer.detail ?? `the server answered ${response.status}`);
}

function say(text, kind) {
  const note = element("p", { class: `notice ${kind}`, tabindex: -1 }, text);
  notices.append(note);
  return note;
}

async function load() {
  main.setAttribute("aria-busy", "true");
  try {
    page = await (await read("api/overview")).json();
    notices.replaceChildren();
    fillSelect();
    show();
    document.querySelector("#updated").textContent = `As of ${moment(page.now)}`;
  } catch (error) {
    notices.replaceChildren();
    say(`Could not be loaded: ${error.message}`, "error");
    for (const waiting of document.querySelectorAll(".loading")) waiting.textContent = "Not loaded";
  } finally {
    main.setAttribute("aria-busy", "false");
  }
}

function fillSelect() {
  const names = page.specs.map((view) => view.overview.spec);
  const chosen = names.includes(select.value) ? select.value : (asked?.spec ?? busiest());
  select.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  if (names.includes(chosen)) select.value = chosen;
  select.disabled = names.length < 2;
}

/** Return the spec to begin with: one that runs, else the one whose night ended last. */
function busiest() {
  const rank = ({ overview }) => [
    overview.runs.length + overview.open_work.shard_count > 0 ? "1" : "0",
    ...overview.nights.map((night) => night.finished_at).sort().slice(-1),
  ].join(" ");
  const ranked = page.specs.toSorted((one, other) => rank(other).localeCompare(rank(one)));
  return ranked[0]?.overview.spec;
}

function show() {
  page.problems.forEach((problem) => say(problem, "error"));
  const view = page.specs.find((one) => one.overview.spec === select.value);
  if (!view) {
    say("There is no spec whose runs you may see.", "error");
    for (const body of document.querySelectorAll("section .body")) body.replaceChildren();
    return;
  }
  view.overview.problems.forEach((problem) => say(problem, "error"));
  const now = new Date(page.now);
  const tell = async (text) => {
    await load();
    say(text, "good").focus();
  };
  const options = {
    mayCancel: page.may_cancel,
    cancel: (batch) => askToCancel(batch, tell),
    consoleUrl: page.console_url,
    asked: asked?.batch ?? asked?.shard,
  };
  put("#tonight", sections.tonight(view, now));
  put("#batches", sections.batches(view, now, options));
  put("#spend", sections.spend(view, page.now.slice(0, 10), page.day_budget));
  put("#quality", sections.quality(view, now, () => askToRequeue(view, page.requeue_reasons, tell)));
  put("#nights", sections.nights(view, now));
  draw();
  if (asked) showAsked(now, options);
}

function put(id, parts) {
  const body = document.querySelector(`${id} .body`);
  const opened = [...body.querySelectorAll("details")].map((one) => one.open);
  body.replaceChildren(...parts.filter(Boolean));
  [...body.querySelectorAll("details")].forEach((one, index) => {
    one.open = opened[index] ?? false;
  });
}

function pathOf({ batch, spec, shard }) {
  if (batch) return `api/batches/${encodeURIComponent(batch)}`;
  return `api/specs/${encodeURIComponent(spec)}/shards/${encodeURIComponent(shard)}`;
}

async function showAsked(now, options) {
  const section = document.querySelector("#asked");
  section.hidden = false;
  try {
    const found = await (await read(pathOf(asked))).json();
    put("#asked", [sections.batchTable(`Batch of ${found.spec}`, found.dag_id, [found.batch], now, options)]);
  } catch (error) {
    put("#asked", [element("p", { class: "notice error" }, error.message)]);
  }
}

/** Charts are drawn by the server; here they become part of the page, so that its styles hold. */
async function draw() {
  const turn = ++drawings;
  const layout = NARROW.matches ? "narrow" : "wide";
  for (const place of document.querySelectorAll("[data-chart]")) {
    const { chart, spec } = place.dataset;
    try {
      const path = `api/specs/${encodeURIComponent(spec)}/charts/${chart}?layout=${layout}`;
      const text = await (await read(path)).text();
      if (turn !== drawings) return; // drawn anew in between
      const drawn = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
      place.replaceChildren(document.adoptNode(drawn));
    } catch (error) {
      place.replaceChildren(element("p", { class: "notice error" }, error.message));
    }
  }
}

function refreshWhenIdle() {
  const isBusy = document.querySelector("dialog[open]") || main.contains(document.activeElement);
  if (document.visibilityState === "visible" && !isBusy) load();
}

followTheme();
select.addEventListener("change", () => {
  notices.replaceChildren();
  show();
});
document.querySelector("#refresh").addEventListener("click", load);
NARROW.addEventListener("change", draw);
setInterval(refreshWhenIdle, REFRESH_SECONDS * 1_000);
load();
