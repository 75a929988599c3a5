// What each section of the page says about one spec.

import { badge, element, figure, figures, link, table, timeOf } from "./elements.js";
import { count, date, NONE, percent, plural, usd, words } from "./format.js";

const STATES = ["enriched", "reused", "unchanged", "skipped", "dead_letter", "pending"];
const STATE_KINDS = { dead_letter: "bad", pending: "waiting", enriched: "good", reused: "good" };
const LEGENDS = {
  spend: ["Batch price", "Forecast", "List price"],
  outcomes: ["Succeeded", "Asked again", "Refused", "Other"],
};
const NIGHTS_SHOWN = 14;
/** Of less nobody asks whether it was foretold. */
const JUDGED_USD = 0.01;

const runPath = (dagId, runId) =>
  `dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}`;

function empty(text) {
  return element("p", { class: "empty" }, text);
}

export function tonight(view, now) {
  const { runs, nights } = view.overview;
  const parts = runs.map((run) => runUnderWay(view.dag_id, run, now));
  if (nights.length) parts.push(lastNight(view.dag_id, latest(nights), now));
  if (!parts.length) {
    return [empty("No night has ended yet. The first one shows here while it runs.")];
  }
  return parts;
}

function latest(nights) {
  return nights.reduce((one, other) => (other.finished_at > one.finished_at ? other : one));
}

function runUnderWay(dagId, run, now) {
  return element(
    "article",
    {},
    element(
      "h3",
      {},
      badge(run.state, "waiting"),
      " ",
      link(runPath(dagId, run.run_id), run.run_id),
    ),
    element(
      "p",
      {},
      run.started_at ? "Started " : "Not started yet",
      run.started_at ? timeOf(run.started_at, now) : null,
      `. ${approval(run)}`,
    ),
    figures(
      figure("Listed", count(run.listed_count)),
      figure("Unchanged", count(run.unchanged_count)),
      figure("Answers known", count(run.known_count)),
      figure("In open batches", count(run.joined_count)),
      figure(
        "To buy",
        count(run.bought_count),
        run.shard_count === null ? null : plural(run.shard_count, "batch"),
      ),
      figure("Forecast", usd(run.forecast_usd)),
    ),
  );
}

function approval(run) {
  if (run.forecast_usd === null) return "Not planned yet.";
  if (run.is_granted === null) return "Its spend is not decided yet.";
  if (!run.is_granted) return "Its spend was rejected.";
  return run.limit_usd === null ? "No budget is set." : `It may spend up to ${usd(run.limit_usd)}.`;
}

function lastNight(dagId, night, now) {
  const counts = STATES.filter((state) => state in night.documents);
  const reasons = night.reasons.filter((line) => line.state_reason);
  return element(
    "article",
    {},
    element(
      "h3",
      {},
      badge(night.verdict, night.verdict === "green" ? "good" : "bad"),
      ` Night of ${date(night.night)}, ended `,
      timeOf(night.finished_at, now),
    ),
    night.problems.map((problem) => element("p", { class: "notice error" }, problem)),
    figures(
      counts.map((state) => {
        const kind = night.documents[state] ? (STATE_KINDS[state] ?? "") : "";
        const made = figure(words(state), count(night.documents[state]));
        if (kind) made.classList.add(kind);
        return made;
      }),
    ),
    element(
      "p",
      { class: "sum" },
      `${plural(night.listed_count, "document")} listed, each in one of these states. `,
      `${paid(night)}${expected(night)}. `,
      link(runPath(dagId, night.run_id), "Run in Airflow"),
    ),
    reasons.length
      ? element(
          "details",
          {},
          element("summary", {}, "Reasons"),
          table(
            "Documents of the night by state and reason",
            [{ name: "State" }, { name: "Reason" }, { name: "Documents", isNumber: true }],
            reasons.map((line) => ({
              cells: [words(line.state), words(line.state_reason), count(line.document_count)],
            })),
          ),
        )
      : null,
  );
}

/** Return what was paid for: what a plan bought is not all, where the night was run again. */
function paid(night) {
  const results = night.outcomes.reduce((sum, line) => sum + line.result_count, 0);
  return `${plural(results, "result")} cost ${usd(night.actual_usd)}`;
}

function expected(night) {
  if (night.forecast_lower_usd === null) return `, forecast ${usd(night.forecast_usd)}`;
  const range = `${usd(night.forecast_lower_usd)} to ${usd(night.forecast_upper_usd)}`;
  const most = Math.max(Number(night.actual_usd), Number(night.forecast_upper_usd));
  const isWithin = most < JUDGED_USD ? null : night.is_within_forecast;
  const verdict = { true: "within", false: "outside", null: "against" }[isWithin];
  return `, ${verdict} the forecast of ${range}`;
}

function taskLink(dagId, batch) {
  if (!batch.run_id) return NONE;
  if (batch.round > 0) {
    const runId = `retry__${dagId}__${batch.run_id}`;
    return link(runPath("retry_failures", runId), `Retry round ${batch.round}`);
  }
  const run = runPath(dagId, batch.run_id);
  if (batch.map_index === null) return link(run, "Run");
  return link(`${run}/tasks/shard.wait_for_batch/mapped/${batch.map_index}`, "Task");
}

export function batchTable(caption, dagId, batches, now, { mayCancel, cancel, asked }) {
  const columns = [
    { name: "Batch" },
    { name: "State" },
    { name: "Requests", isNumber: true },
    { name: "Estimate", isNumber: true },
    { name: "Created" },
    { name: "Expires" },
    { name: "Airflow" },
  ];
  if (mayCancel) columns.push({ name: "Action" });
  const rows = batches.map((batch) => {
    const cells = [
      element(
        "span",
        { class: "id" },
        batch.batch_id ? element("code", {}, batch.batch_id) : "not submitted",
        element("small", {}, `shard ${batch.shard_id}`),
      ),
      batch.is_adopted ? [batch.state, element("small", {}, "found after a lost answer")] : batch.state,
      count(batch.request_count),
      usd(batch.estimate_usd),
      timeOf(batch.created_at ?? batch.planned_at, now),
      timeOf(batch.expires_at, now),
      taskLink(dagId, batch),
    ];
    if (mayCancel) cells.push(cancelButton(batch, cancel));
    const isAsked = asked && (batch.batch_id === asked || batch.shard_id === asked);
    return { cells, attributes: { class: isAsked ? "asked" : null } };
  });
  return table(caption, columns, rows);
}

function cancelButton(batch, cancel) {
  if (!batch.batch_id || batch.state !== "submitted") return NONE;
  return element(
    "button",
    {
      type: "button",
      class: "small",
      "aria-label": `Cancel batch ${batch.batch_id}`,
      onclick: () => cancel(batch),
    },
    "Cancel…",
  );
}

export function batches(view, now, options) {
  const open = view.overview.open_work;
  if (!open.shard_count) return [empty("Nothing is in flight.")];
  const rest = open.shard_count - open.batches.length;
  return [
    figures(
      figure("Batches", count(open.shard_count)),
      figure("Requests", count(open.request_count)),
      figure("Estimate", usd(open.estimate_usd), "batch price"),
      open.surplus_count ? figure("Bought twice", count(open.surplus_count)) : null,
    ),
    open.batches.length ? batchTable("Batches that are not loaded yet", view.dag_id, open.batches, now, options) : null,
    rest > 0 ? element("p", {}, `${plural(rest, "more batch")} not shown one by one.`) : null,
    element(
      "p",
      {},
      link(options.consoleUrl, "Batches in the Claude Console", true),
      " (the default workspace; others are chosen there)",
    ),
  ];
}

export function spend(view, today, budget) {
  const { days, open_work: open, runs } = view.overview;
  const parts = [];
  const sum = (name) => days.reduce((total, day) => total + Number(day[name]), 0);
  const actual = sum("actual_usd");
  const now = days.find((day) => day.date === today);
  const limited = runs.filter((run) => run.is_granted && run.limit_usd !== null);
  parts.push(
    figures(
      figure("Today", usd(now?.actual_usd ?? 0), "UTC"),
      figure(`${plural(days.length, "day")} with runs`, usd(actual)),
      figure("At list price", usd(sum("list_usd")), savings(actual, sum("list_usd"))),
      figure("Forecast", usd(sum("forecast_usd")), deviation(actual, sum("forecast_usd"))),
      figure("Still out", usd(open.estimate_usd), "estimate"),
      budget
        ? figure("Left of the day's budget", usd(budget.left_usd), `of ${usd(budget.budget_usd)}, all specs`)
        : null,
      limited.map((run) =>
        figure("Left of the run's budget", usd(Math.max(run.limit_usd - run.forecast_usd, 0)), `of ${usd(run.limit_usd)}`),
      ),
    ),
  );
  if (!days.length) return [...parts, empty("No run has ended yet.")];
  parts.push(chart(view, "spend", "Spend by day"));
  parts.push(
    asTable(
      table(
        "Spend of the runs that began on each day",
        [
          { name: "Day (UTC)" },
          { name: "Runs", isNumber: true },
          { name: "Batch price", isNumber: true },
          { name: "Forecast", isNumber: true },
          { name: "List price", isNumber: true },
        ],
        days.toReversed().map((day) => ({
          cells: [
            date(day.date),
            count(day.run_count),
            usd(day.actual_usd),
            usd(day.forecast_usd),
            usd(day.list_usd),
          ],
        })),
      ),
    ),
  );
  return parts;
}

function savings(actual, list) {
  return list ? `${percent(list - actual, list)} saved` : null;
}

function deviation(actual, forecast) {
  if (!forecast) return null;
  const share = actual / forecast - 1;
  return `actual ${share >= 0 ? "+" : "−"}${percent(Math.abs(share), 1)}`;
}

export function quality(view, now, requeue) {
  const { days, dead_letters: dead, dead_letters_at: counted } = view.overview;
  const parts = [];
  if (days.some((day) => day.outcomes.length)) {
    parts.push(chart(view, "outcomes", "Results by day"));
    const names = [...new Set(days.flatMap((day) => day.outcomes.map((line) => line.outcome)))];
    parts.push(
      asTable(
        table(
          "Results of the runs that began on each day, by outcome",
          [{ name: "Day (UTC)" }, ...names.map((name) => ({ name: words(name), isNumber: true }))],
          days.toReversed().map((day) => ({
            cells: [
              date(day.date),
              ...names.map((name) =>
                count(day.outcomes.find((line) => line.outcome === name)?.result_count ?? 0),
              ),
            ],
          })),
        ),
      ),
    );
  } else parts.push(empty("No results yet."));
  parts.push(element("h3", {}, "Open dead letters by reason"));
  if (dead.length) {
    parts.push(
      table(
        "Documents that were given up and not requeued since",
        [{ name: "Reason" }, { name: "Documents", isNumber: true }],
        dead.map((line) => ({ cells: [words(line.state_reason), count(line.document_count)] })),
      ),
    );
  } else parts.push(empty(counted ? "None." : "They are counted when a night ends."));
  if (counted) {
    parts.push(element("p", { class: "sum" }, "Counted when the last night ended, ", timeOf(counted, now), "."));
  }
  if (view.may_requeue) {
    parts.push(element("button", { type: "button", onclick: requeue }, "Requeue dead letters…"));
  }
  return parts;
}

export function nights(view, now) {
  const all = view.overview.nights;
  if (!all.length) return [empty("No night has ended yet.")];
  return [
    table(
      `The ${plural(Math.min(all.length, NIGHTS_SHOWN), "night")} with the latest windows`,
      [
        { name: "Night" },
        { name: "Verdict" },
        { name: "Listed", isNumber: true },
        { name: "Enriched", isNumber: true },
        { name: "Dead letters", isNumber: true },
        { name: "Pending", isNumber: true },
        { name: "Cost", isNumber: true },
        { name: "Ended" },
      ],
      all.slice(0, NIGHTS_SHOWN).map((night) => ({
        cells: [
          link(runPath(view.dag_id, night.run_id), `${date(night.night)} ${night.run_type}`),
          badge(night.verdict, night.verdict === "green" ? "good" : "bad"),
          count(night.listed_count),
          count((night.documents.enriched ?? 0) + (night.documents.reused ?? 0)),
          count(night.documents.dead_letter ?? 0),
          count(night.documents.pending ?? 0),
          usd(night.actual_usd),
          timeOf(night.finished_at, now),
        ],
      })),
    ),
  ];
}

function chart(view, name, title) {
  const legend = LEGENDS[name].map((text, index) =>
    element("li", { class: `color-${index}` }, element("span", { class: "swatch" }), text),
  );
  return element(
    "figure",
    { class: `chart ${name}` },
    element("figcaption", {}, title, element("ul", { class: "legend" }, legend)),
    element("div", { class: "drawing", "data-chart": name, "data-spec": view.overview.spec }),
  );
}

function asTable(made) {
  return element("details", {}, element("summary", {}, "As a table"), made);
}

