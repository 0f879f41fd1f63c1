// The figures of the village under the pointer, or in focus.
for (const tip of document.querySelectorAll(".tip")) {
  const figure = tip.parentElement;
  const show = mark => {
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const box = figure.getBoundingClientRect(), at = mark.getBoundingClientRect();
    const x = at.right - box.left + 8, y = at.top - box.top;
    const isRight = x + tip.offsetWidth > box.width;
    const left = isRight ? at.left - box.left - tip.offsetWidth - 8 : x;
    tip.style.left = Math.max(0, left) + "px";
    tip.style.top = Math.max(0, Math.min(y, box.height - tip.offsetHeight)) + "px";
  };
  for (const mark of figure.querySelectorAll(".mark")) {
    for (const event of ["pointerenter", "focus", "click"]) mark.addEventListener(event, () => show(mark));
    for (const event of ["pointerleave", "blur"]) mark.addEventListener(event, () => { tip.hidden = true; });
  }
}
