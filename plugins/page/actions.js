// The two things that the page lets one do. Both ask first; the server asks who may.

import { airflowUrl, element, figure, figures } from "./elements.js";
import { count, usd, words } from "./format.js";

const HEADERS = { "Content-Type": "application/json", "X-Nightshift-Action": "1" };

async function post(url, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify(body),
    credentials: "same-origin",
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(describe(answer.detail) ?? `refused: ${response.status}`);
  return answer;
}

function describe(detail) {
  if (Array.isArray(detail)) return detail.map((item) => item.msg).join("; ");
  return typeof detail === "string" ? detail : detail?.reason;
}

/** Open a dialog; send its form; close it when that went well, else say why not. */
function ask(dialog, send) {
  const form = dialog.querySelector("form");
  const error = dialog.querySelector(".error");
  const confirm = dialog.querySelector("[type=submit]");
  error.textContent = "";
  form.reset();
  form.onsubmit = async (event) => {
    event.preventDefault();
    confirm.disabled = true;
    error.textContent = "";
    try {
      await send(new FormData(form));
      dialog.close();
    } catch (problem) {
      error.textContent = problem.message;
    } finally {
      confirm.disabled = false;
    }
  };
  dialog.querySelector("[value=close]").onclick = () => dialog.close();
  dialog.showModal();
}

export function askToCancel(batch, done) {
  const dialog = document.querySelector("#cancel-dialog");
  dialog
    .querySelector(".facts")
    .replaceChildren(
      element("p", {}, element("code", {}, batch.batch_id)),
      figures(
        figure("Requests", count(batch.request_count)),
        figure("Estimated cost", usd(batch.estimate_usd), "if all is answered"),
      ),
    );
  ask(dialog, async (form) => {
    await post(`api/batches/${encodeURIComponent(batch.batch_id)}/cancel`, {
      reason: form.get("reason"),
    });
    done(`Claude was asked to cancel ${batch.batch_id}. Its task collects what was answered.`);
  });
}

export function askToRequeue(view, reasons, done) {
  const dialog = document.querySelector("#requeue-dialog");
  const counts = new Map(
    view.overview.dead_letters.map((line) => [line.state_reason, line.document_count]),
  );
  dialog.querySelector(".reasons").replaceChildren(
    ...reasons.map((reason) => {
      const number = counts.get(reason);
      return element(
        "label",
        {},
        element("input", {
          type: "checkbox",
          name: "requeue",
          value: reason,
          checked: number !== undefined,
        }),
        ` ${words(reason)}`,
        number === undefined ? null : element("small", {}, ` ${count(number)}`),
      );
    }),
  );
  ask(dialog, async (form) => {
    const requeue = form.getAll("requeue");
    if (!requeue.length) throw new Error("Choose at least one reason.");
    const conf = { requeue };
    if (form.get("budget") !== "") conf.budget_usd = Number(form.get("budget"));
    // Airflow's own API: it knows who may start a run, checks the params and keeps an audit log.
    const run = await post(airflowUrl(`api/v2/dags/${encodeURIComponent(view.dag_id)}/dagRuns`), {
      logical_date: null,
      conf,
      note: "Requeued on the Nightshift page",
    });
    done(`The run ${run.dag_run_id} was started.`);
  });
}
