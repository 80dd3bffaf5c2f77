// The study's data, which the page carries as JSON, and the design that is chosen.

const study = JSON.parse(document.getElementById("data").textContent);
const columns = new Map(study.columns.map((column) => [column.key, column]));
const trials = study.trials.number.map((number, i) => {
  const [series, ...psnr] = study.curves.of[i];
  const trial = { curve: psnr.map((value, at) => [study.curves.steps[series][at], value]) };
  for (const key in study.trials) trial[key] = study.trials[key][i];
  return trial;
});
const byNumber = new Map(trials.map((trial) => [trial.number, trial]));

/** The designs of a view: trials with the view's own values (means over trainings, confirmed quality). */
const views = study.views.map((view) => {
  const designs = view.numbers.map((number, i) => {
    const design = { ...byNumber.get(number) };
    for (const key in view.values) design[key] = view.values[key][i];
    return design;
  });
  const known = new Map(designs.map((design) => [design.number, design]));
  return { ...view, designs, known, front: view.front.map((number) => known.get(number)) };
});

const state = { view: views[0], chosen: null };
const listeners = [];

/** Calls back when another design is chosen or another view is taken. */
function whenChosen(listener) {
  listeners.push(listener);
}

function choose(number) {
  state.chosen = number;
  for (const listener of listeners) listener();
  const trial = byNumber.get(number);
  if (trial) say(`Trial ${number} is chosen: ${trial.design}`);
}

/** Says something to a screen reader. */
function say(text) {
  document.getElementById("said").textContent = text;
}

/** The chosen design with the values of the view, or the trial itself where the view has it not. */
function chosenDesign() {
  return state.view.known.get(state.chosen) ?? byNumber.get(state.chosen);
}

/** An element with attributes and children; text is always text, never markup. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function fillSelect(select, options, value) {
  select.replaceChildren(...options.map(([key, label]) => element("option", { value: key }, label)));
  select.value = value;
}
