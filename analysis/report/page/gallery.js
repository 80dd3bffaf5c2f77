// One clip of every design of the front beside the original and the teacher.

const clipSelect = document.getElementById("clip");
const kindSelect = document.getElementById("kind");

function drawGallery() {
  const gallery = document.getElementById("gallery");
  const at = Number(clipSelect.value);
  const kind = kindSelect.value;
  document.getElementById("scale").classList.toggle("on", kind !== "student");
  const seen = state.view.front.filter((design) => study.pictures.designs[design.number]?.[at]);
  gallery.replaceChildren();
  if (!seen.length) {
    gallery.append(element("p", {}, "There are no frames to show."));
    return;
  }
  const first = seen[0];
  for (const [name, title] of [["original", "Original"], ["teacher", "Teacher"]]) {
    const clip = study.pictures.designs[first.number][at];
    gallery.append(element("figure", { class: "reference" }, frame(clip, name, at, first.number), element("figcaption", {}, element("strong", {}, title))));
  }
  for (const design of seen) {
    const clip = study.pictures.designs[design.number][at];
    const pick = element("button", { type: "button", class: "link", onclick: () => choose(design.number), "aria-label": `Choose trial ${design.number}` }, `#${design.number}`);
    const words = ["psnr", "latency_ms"].map((key) => amount(columns.get(key), design[key])).join(", ");
    gallery.append(element("figure", {}, frame(clip, kind, at, design.number), element("figcaption", {}, pick, ` ${words}`)));
  }
}

function startGallery() {
  const counts = Object.values(study.pictures.designs).map((clips) => clips.length);
  const clips = Array.from({ length: Math.max(0, ...counts) }, (_, i) => [String(i), String(i + 1)]);
  fillSelect(clipSelect, clips, "0");
  clipSelect.addEventListener("change", drawGallery);
  kindSelect.addEventListener("change", drawGallery);
  let view = state.view;
  whenChosen(() => {
    if (view !== state.view) drawGallery();
    view = state.view;
  });
  drawGallery();
}
