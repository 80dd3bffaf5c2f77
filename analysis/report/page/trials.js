// The table of all trials: sorted by its headings, filtered by words and conditions, a page at a time.

const PAGE = 100; // rows
const listed = study.shown.map((key) => columns.get(key));
const filterInput = document.getElementById("filter");
const outcomeSelect = document.getElementById("outcome");
const frontOnly = document.getElementById("front-only");
const order = { key: "number", descending: false };
let page = 0;

const POWERS = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const COMPARE = { "<=": (a, b) => a <= b, ">=": (a, b) => a >= b, "<": (a, b) => a < b, ">": (a, b) => a > b };

/** A condition such as params<=30M, in the grammar of the command line, as a function of a trial. */
function condition(word) {
  const match = /^([\w.]+)(<=|>=|<|>)([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-z]*)$/i.exec(word);
  if (!match) throw new Error(`'${word}' is no condition; one looks like fps>=24`);
  const [, name, operator, text, suffix] = match;
  if (!(name in study.trials) || (columns.get(name)?.kind ?? "number") !== "number") {
    throw new Error(`there is no column of numbers '${name}'`);
  }
  const unit = suffix.toLowerCase();
  let power = POWERS[unit];
  if (name.endsWith("_ms")) power = { "": 1, ms: 1, s: 1e3 }[unit];
  else if (name.endsWith("_bytes")) power = POWERS[unit.replace(/b$/, "")];
  if (power === undefined) throw new Error(`'${suffix}' is no unit of ${name}`);
  const bound = Number(text) * power;
  return (trial) => trial[name] !== null && COMPARE[operator](trial[name], bound);
}

/** What the filter's text asks for. */
function asked() {
  const words = filterInput.value.replace(/\s*(<=|>=|<|>)\s*/g, "$1").split(/\s+/).filter((word) => word && word.toLowerCase() !== "and");
  return words.map((word) => {
    if (/[<>]/.test(word)) return condition(word);
    if (columns.get(word)?.kind === "flag") return (trial) => trial[word] === true;
    const text = word.toLowerCase();
    return (trial) => searched(trial).includes(text);
  });
}

function searched(trial) {
  trial.searched ??= [`#${trial.number}`, trial.outcome, trial.design, trial.name, trial.reason, trial.source].join(" ").toLowerCase();
  return trial.searched;
}

function sorted(rows) {
  const { key, descending } = order;
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [a[key], b[key]];
    if (x === null || y === null) return (x === null) - (y === null) || a.number - b.number; // unknown ones last
    if (typeof x === "string") return sign * x.localeCompare(y) || a.number - b.number;
    return sign * (x - y) || a.number - b.number;
  });
}

function rowOf(trial) {
  const cells = listed.map((column) => {
    const style = column.kind === "number" ? "number" : column.key === "reason" ? "reason" : "";
    const cell = element("td", { class: style, "data-key": column.key });
    if (column.key === "number") {
      cell.append(element("button", { type: "button", class: "link", onclick: () => choose(trial.number), "aria-label": `Show trial ${trial.number}` }, shown(column, trial.number)));
    } else {
      cell.textContent = shown(column, trial[column.key]);
    }
    return cell;
  });
  const row = element("tr", { "data-number": trial.number }, ...cells);
  row.classList.toggle("on-front", onFront().has(trial.number));
  row.classList.toggle("chosen", trial.number === state.chosen);
  return row;
}

function onFront() {
  return new Set(state.view.front.map((design) => design.number));
}

function drawTrials() {
  const count = document.getElementById("count");
  let rows;
  try {
    const tests = asked();
    const front = onFront();
    rows = trials.filter(
      (trial) =>
        (outcomeSelect.value === "" || trial.outcome === outcomeSelect.value) &&
        (!frontOnly.checked || front.has(trial.number)) &&
        tests.every((test) => test(trial)),
    );
    filterInput.removeAttribute("aria-invalid");
  } catch (error) {
    filterInput.setAttribute("aria-invalid", "true");
    count.textContent = error.message;
    return;
  }
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  page = Math.min(page, pages - 1);
  const visible = sorted(rows).slice(page * PAGE, (page + 1) * PAGE);
  document.querySelector("#table tbody").replaceChildren(...visible.map(rowOf));
  for (const head of document.querySelectorAll("#table thead th")) {
    const direction = order.descending ? "descending" : "ascending";
    if (head.dataset.key === order.key) head.setAttribute("aria-sort", direction);
    else head.removeAttribute("aria-sort");
  }
  const number = (value) => value.toLocaleString("en-US");
  const way = order.descending ? "falling" : "rising";
  count.textContent = `${number(rows.length)} of ${number(trials.length)} trials, by ${columns.get(order.key).label.toLowerCase()}, ${way}`;
  document.getElementById("page").textContent = `page ${number(page + 1)} of ${number(pages)}`;
  document.getElementById("page-back").disabled = page === 0;
  document.getElementById("page-on").disabled = page === pages - 1;
}

function sortBy(column) {
  // The better end first; once more turns it round.
  const first = column.direction === "maximize";
  order.descending = order.key === column.key ? !order.descending : first;
  order.key = column.key;
  page = 0;
  drawTrials();
}

function startTrials() {
  document.querySelector("#table thead tr").append(
    ...listed.map((column) =>
      element(
        "th",
        { scope: "col", "data-key": column.key, ...(column.kind === "number" ? { class: "number" } : {}) },
        element("button", { type: "button", onclick: () => sortBy(column) }, heading(column)),
      ),
    ),
  );
  const outcomes = [...new Set(trials.map((trial) => trial.outcome))].filter(Boolean);
  fillSelect(outcomeSelect, [["", "all"], ...outcomes.map((outcome) => [outcome, outcome])], "");
  const restart = () => {
    page = 0;
    drawTrials();
  };
  for (const control of [filterInput, outcomeSelect, frontOnly]) control.addEventListener("input", restart);
  const turn = (by) => () => {
    page += by;
    drawTrials();
  };
  document.getElementById("page-back").addEventListener("click", turn(-1));
  document.getElementById("page-on").addEventListener("click", turn(1));
  whenChosen(() => {
    for (const row of document.querySelectorAll("tr[data-number]")) {
      row.classList.toggle("chosen", Number(row.dataset.number) === state.chosen);
    }
  });
  drawTrials();
}
