// The chosen design: its figures, learning curve, stages, frames and the command that exports it.

const FRAME_NAMES = [
  ["original", "Original"],
  ["teacher", "Teacher"],
  ["student", "Student"],
  ["from_original", "Off the original"],
  ["from_teacher", "Off the teacher"],
];

function facts(design) {
  const list = element("dl", { class: "facts" });
  for (const column of columns.values()) {
    if (["number", "design", "reason"].includes(column.key)) continue;
    const value = element("dd", { "data-key": column.key }, amount(column, design[column.key]));
    if (column.key === "latency_ms" && design.latency_low_ms) {
      value.append(element("small", {}, `${shown(column, design.latency_low_ms)} to ${amount(column, design.latency_high_ms)}, 90 %`));
    }
    if (column.key === "psnr" && design.psnr_spread) {
      value.append(element("small", {}, `± ${amount(column, design.psnr_spread)} between seeds`));
    }
    list.append(element("div", {}, element("dt", {}, column.label), value));
  }
  return list;
}

function drawCurve(place, curve) {
  const steps = curve.map(([step]) => step);
  const psnr = curve.map(([, value]) => value);
  const line = { color: colour("accent"), width: 2 };
  const hover = psnr.map((value, i) => `step ${steps[i].toLocaleString("en-US")}: ${value.toFixed(2)} dB`);
  const quiet = { gridcolor: colour("line"), zeroline: false, automargin: true };
  Plotly.react(
    place,
    [{ x: steps, y: psnr, type: "scatter", mode: "lines+markers", line, hovertext: hover, hoverinfo: "text" }],
    layout({
      margin: { t: 8, r: 8, b: 36, l: 48 },
      font: { family: getComputedStyle(document.body).fontFamily, color: colour("ink"), size: 11 },
      xaxis: { title: { text: "Training step" }, rangemode: "tozero", ...quiet },
      yaxis: { title: { text: "PSNR (dB)" }, ...quiet },
      dragmode: false,
    }),
    { responsive: true, displayModeBar: false },
  );
}

/** The table of stages; the front's designs have one. */
function stageTable(rows) {
  const whole = rows.reduce((sum, row) => sum + row.latency_ms, 0);
  const number = (value, digits) => shown({ kind: "number", scale: 1, digits }, value);
  const body = rows.map((row) => {
    const share = whole ? (100 * row.latency_ms) / whole : 0;
    const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("i", { style: `width:${share.toFixed(1)}%` }));
    const built = row.blocks === null ? "" : `${row.blocks} × ${row.conv}, width ${row.width}${row.upsampler ? `, ${row.upsampler}` : ""}`;
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, row.stage),
      element("td", {}, built),
      element("td", { class: "number" }, `${number(row.latency_ms, 1)} (${number(share, 0)} %)`, bar),
      element("td", { class: "number" }, number(row.params / 1e6, 3)),
      element("td", { class: "number" }, number(row.flops / 1e9, 1)),
      element("td", { class: "number" }, number(row.bytes / 1e6, 0)),
    );
  });
  const heads = [["Stage"], ["Built of"], ["ms", 1], ["M parameters", 1], ["GFLOP", 1], ["MB moved", 1]];
  const head = heads.map(([text, right]) => element("th", { scope: "col", ...(right ? { class: "number" } : {}) }, text));
  const basis = `By a trace of the operators, ${number(whole, 1)} ms in all.`;
  const table = element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Costs by stage" },
    element("table", { class: "stages" }, element("caption", { class: "hidden" }, "Costs by stage, latent to pixels"), element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)),
  );
  return element("div", {}, element("p", { class: "hint" }, basis), table);
}

/** One frame of a design, with words for those who don't see it. */
function frame(clip, kind, at, number) {
  const alt = {
    original: `Original of clip ${at + 1}`,
    teacher: `Clip ${at + 1} as the teacher decodes it`,
    student: `Clip ${at + 1} as trial ${number} decodes it`,
    from_original: `Where trial ${number} differs from the original in clip ${at + 1}: ${clip.off_original.toFixed(1)} of 255 levels on average`,
    from_teacher: `Where trial ${number} differs from the teacher in clip ${at + 1}: ${clip.off_teacher.toFixed(1)} of 255 levels on average`,
  }[kind];
  return element("img", { src: study.pictures.images[clip[kind]], alt });
}

function framesOf(number) {
  const clips = study.pictures.designs[number];
  if (!clips) {
    const why = study.pictures.missing[number] ?? "pictures are shown of the front's designs";
    return element("p", { class: "hint" }, `No frames: ${why}.`);
  }
  const grid = element("div", { class: "pictures", tabindex: "0", role: "region", "aria-label": "Frames" });
  for (const [, title] of FRAME_NAMES) grid.append(element("div", { class: "head" }, title));
  clips.forEach((clip, at) => {
    for (const [kind] of FRAME_NAMES) {
      const off = { from_original: clip.off_original, from_teacher: clip.off_teacher }[kind];
      const caption = off === undefined ? null : element("figcaption", {}, `${off.toFixed(1)} of 255 levels off`);
      grid.append(element("figure", {}, frame(clip, kind, at, number), caption));
    }
  });
  return grid;
}

/** A command with a button that copies it. */
function commandLine(text) {
  const code = element("code", { class: "command" }, text);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied");
    } catch {
      getSelection().selectAllChildren(code);
      say("Selected: copy it with your keyboard");
    }
  };
  return element("div", { class: "command-line" }, code, element("button", { type: "button", onclick: copy }, "Copy"));
}

function drawDesign() {
  const design = chosenDesign();
  const body = document.getElementById("design-body");
  const wide = document.getElementById("design-wide");
  const select = document.getElementById("chosen");
  const listed = state.view.front.map((front) => [String(front.number), `#${front.number}  ${front.design}`]);
  if (design && !state.view.front.some((front) => front.number === design.number)) {
    listed.push([String(design.number), `#${design.number}  ${design.design} (not on the front)`]);
  }
  fillSelect(select, listed, design ? String(design.number) : "");
  body.replaceChildren();
  wide.replaceChildren();
  if (!design) return;
  document.getElementById("design-title").textContent = `#${design.number}  ${design.design}`;
  const standing = study.standing[design.number];
  if (standing) body.append(element("p", { class: "hint" }, standing));
  if (design.reason) body.append(element("p", {}, `${design.outcome}: ${design.reason}`));
  body.append(facts(design));
  if (design.curve.length) {
    body.append(element("h4", {}, "Learning curve"));
    const place = element("div", { class: "curve", role: "img", "aria-label": `Learning curve, ${design.curve.length} points` });
    body.append(place);
    drawCurve(place, design.curve);
  }
  const command = study.commands[design.number];
  const rows = study.stages[design.number];
  const parts = element("div", { class: "wide" });
  if (command) parts.append(element("h4", {}, "Export it"), commandLine(command));
  parts.append(element("h4", {}, "Stages, latent to pixels"));
  parts.append(rows ? stageTable(rows) : element("p", { class: "hint" }, study.stages_missing[design.number] ?? "Stages are priced of the front's designs."));
  parts.append(element("h4", {}, "Frames"), framesOf(design.number));
  wide.append(parts);
}

function startDesign() {
  document.getElementById("previous").addEventListener("click", () => step(-1));
  document.getElementById("next").addEventListener("click", () => step(1));
  document.getElementById("chosen").addEventListener("change", (event) => choose(Number(event.target.value)));
  for (const button of document.querySelectorAll("[data-choose]")) {
    button.addEventListener("click", () => {
      choose(Number(button.dataset.choose));
      document.getElementById("front").scrollIntoView();
    });
  }
  for (const code of document.querySelectorAll("td > code.command")) {
    code.replaceWith(commandLine(code.textContent));
  }
  whenChosen(drawDesign);
}
