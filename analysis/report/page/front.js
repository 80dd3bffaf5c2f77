// The picture of the front, by plotly.

const plot = document.getElementById("plot");
const acrossSelect = document.getElementById("across");
const upSelect = document.getElementById("up");
const viewSelect = document.getElementById("view");
const LABELLED = 15; // designs of the front, at most, that carry their number

/** Text for plotly, which takes a few tags of markup in what it shows. */
function plain(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function hoverText(design) {
  const lines = [`<b>#${design.number}</b> ${plain(design.design)}`];
  for (const column of columns.values()) {
    if (column.kind === "number" && !["number", "seconds", "repeats"].includes(column.key)) {
      lines.push(`${plain(column.label)}: ${plain(amount(column, design[column.key]))}`);
    }
  }
  return lines.join("<br>");
}

/** Bars of the uncertainty, where the study knows one. */
function errorBars(designs, key) {
  const scale = columns.get(key).scale;
  const quiet = { thickness: 1, width: 0, color: colour("accent") };
  if (key === "latency_ms" && study.trials.latency_low_ms) {
    const high = designs.map((d) => (d.latency_high_ms === null ? 0 : d.latency_high_ms - d.latency_ms));
    const low = designs.map((d) => (d.latency_low_ms === null ? 0 : d.latency_ms - d.latency_low_ms));
    return { type: "data", symmetric: false, array: high, arrayminus: low, ...quiet };
  }
  if (key === "psnr" && designs.some((d) => d.psnr_spread)) {
    return { type: "data", array: designs.map((d) => (d.psnr_spread ?? 0) * scale), ...quiet };
  }
  return { visible: false };
}

function trace(designs, across, up, more) {
  return {
    x: designs.map((design) => (design[across.key] === null ? null : design[across.key] * across.scale)),
    y: designs.map((design) => (design[up.key] === null ? null : design[up.key] * up.scale)),
    customdata: designs.map((design) => design.number),
    hovertext: designs.map(hoverText),
    hoverinfo: "text",
    type: "scatter",
    mode: "markers",
    ...more,
  };
}

function axis(column) {
  const better = { maximize: "better →", minimize: "← better" }[column.direction] ?? "";
  const name = heading(column);
  const title = column.direction === "minimize" ? `${better}   ${name}` : `${name}   ${better}`;
  return {
    title: { text: plain(title), standoff: 8 },
    type: column.log ? "log" : "linear",
    gridcolor: colour("line"),
    linecolor: colour("line"),
    zeroline: false,
    automargin: true,
    ...(column.log ? { dtick: "D2", tickformat: ",~g" } : {}),
  };
}

/** Lines at the frame rates of film, video and games, and at the teacher's own quality. */
function landmarks(across, up) {
  const shapes = [];
  const annotations = [];
  const line = { color: colour("soft"), width: 1, dash: "dot" };
  if (["latency_ms", "fps"].includes(across.key)) {
    for (const rate of [24, 30, 60]) {
      const place = across.key === "fps" ? rate : (study.frames / rate) * 1000;
      shapes.push({ type: "line", xref: "x", yref: "paper", x0: place, x1: place, y0: 0, y1: 1, line, layer: "below" });
      const at = across.log ? Math.log10(place) : place;
      // The unit stands on the outer side, where no other line is.
      const outer = across.key === "fps" ? { text: "frames/s 24", xanchor: "right" } : { text: "24 frames/s", xanchor: "left" };
      const label = rate === 24 ? outer : { text: String(rate), xanchor: "center" };
      annotations.push({ x: at, y: 1, xref: "x", yref: "paper", yanchor: "bottom", showarrow: false, font: { size: 11 }, ...label });
    }
  }
  if (up.key === "psnr" && study.teacher_psnr !== null) {
    const best = Math.max(...state.view.designs.map((design) => design.psnr ?? -Infinity));
    if (study.teacher_psnr - best < 3) {
      shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: study.teacher_psnr, y1: study.teacher_psnr, line });
      annotations.push({ xref: "paper", x: 1, xanchor: "right", y: study.teacher_psnr, yanchor: "bottom", showarrow: false, text: "teacher itself", font: { size: 11 } });
    }
  }
  return { shapes, annotations };
}

function traces(across, up) {
  const { designs, front } = state.view;
  const onFront = new Set(front.map((design) => design.number));
  const rest = designs.filter((design) => !onFront.has(design.number));
  const named = designs.filter((design) => design.name);
  const known = front.filter((design) => design[across.key] !== null && design[up.key] !== null);
  const along = [...known].sort((a, b) => a[across.key] - b[across.key]);
  const isPair = study.objectives.length === 2 && [across.key, up.key].every((key) => study.objectives.includes(key));
  const beaten = Math.max(0.25, Math.min(0.8, 150 / Math.max(1, rest.length)));
  const chosen = chosenDesign();
  const drawn = [
    trace(rest, across, up, { name: `not on the front (${rest.length.toLocaleString("en-US")})`, marker: { size: 7, color: colour("beaten"), opacity: beaten } }),
  ];
  if (isPair && along.length) {
    const shape = across.direction === "minimize" ? "hv" : "vh";
    const line = { color: colour("accent"), width: 1.5, shape };
    drawn.push(trace(along, across, up, { mode: "lines", line, hoverinfo: "skip", showlegend: false }));
  }
  const labels = front.length <= LABELLED ? "markers+text" : "markers";
  drawn.push(
    trace(front, across, up, {
      name: `front (${front.length.toLocaleString("en-US")})`,
      mode: labels,
      text: front.map((design) => `#${design.number}`),
      textposition: "top left",
      textfont: { size: 11, color: colour("soft") },
      marker: { size: 11, color: colour("accent"), line: { color: colour("card"), width: 1 } },
      error_x: errorBars(front, across.key),
      error_y: errorBars(front, up.key),
    }),
  );
  if (named.length) {
    drawn.push(trace(named, across, up, { name: "published design", marker: { symbol: "diamond", size: 12, color: colour("warm"), line: { color: colour("card"), width: 1 } } }));
  }
  if (chosen && state.view.known.has(chosen.number)) {
    const ring = { symbol: "circle-open", size: 22, color: colour("ink"), line: { width: 2.5 } };
    drawn.push(trace([chosen], across, up, { name: `chosen (#${chosen.number})`, marker: ring, hoverinfo: "skip" }));
  }
  return drawn;
}

/** What every plot of the page has in common. */
function layout(more) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, color: colour("ink"), size: 13 },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("accent"), font: { color: colour("ink") }, align: "left" },
    hovermode: "closest",
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    ...more,
  };
}

const PLOT_OPTIONS = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

function drawFront() {
  const across = columns.get(acrossSelect.value);
  const up = columns.get(upSelect.value);
  const legend = { orientation: "h", x: 0, y: 1.06, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" };
  const frame = { margin: { t: 70, r: 16, b: 50, l: 60 }, legend, xaxis: axis(across), yaxis: axis(up) };
  if (!state.view.designs.length) {
    frame.annotations = [{ text: "No design was trained yet", xref: "paper", yref: "paper", x: 0.5, y: 0.5, showarrow: false, font: { size: 16 } }];
  }
  Plotly.react(plot, traces(across, up), layout({ ...frame, ...(state.view.designs.length ? landmarks(across, up) : {}) }), PLOT_OPTIONS);
}

/** Chooses the neighbour on the front, in the order in which it is listed. */
function step(by) {
  const numbers = state.view.front.map((design) => design.number);
  const at = numbers.indexOf(state.chosen);
  const next = at < 0 ? 0 : Math.min(numbers.length - 1, Math.max(0, at + by));
  if (numbers.length) choose(numbers[next]);
}

function startFront() {
  const drawable = [...columns.values()].filter((column) => column.direction);
  const options = drawable.map((column) => [column.key, heading(column)]);
  fillSelect(acrossSelect, options, study.across);
  fillSelect(upSelect, options, study.up);
  fillSelect(viewSelect, views.map((view) => [view.key, view.label]), state.view.key);
  document.getElementById("view-control").hidden = views.length < 2;
  viewSelect.addEventListener("change", () => {
    state.view = views.find((view) => view.key === viewSelect.value);
    choose(state.chosen);
  });
  acrossSelect.addEventListener("change", drawFront);
  upSelect.addEventListener("change", drawFront);
  whenChosen(drawFront);
  drawFront();
  plot.on("plotly_click", (event) => choose(event.points[0].customdata));
  plot.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (by) {
      event.preventDefault();
      step(by);
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => choose(state.chosen));
}
