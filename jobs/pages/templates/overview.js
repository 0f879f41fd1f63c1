// The figures of the village under the pointer, or in focus.
const tip = document.getElementById("tip");
if (tip) {
  const figure = tip.parentElement;
  const show = dot => {
    tip.textContent = dot.getAttribute("aria-label");
    tip.hidden = false;
    const box = figure.getBoundingClientRect(), at = dot.getBoundingClientRect();
    const x = at.right - box.left + 8, y = at.top - box.top;
    const isRight = x + tip.offsetWidth > box.width;
    const left = isRight ? at.left - box.left - tip.offsetWidth - 8 : x;
    tip.style.left = Math.max(0, left) + "px";
    tip.style.top = Math.max(0, Math.min(y, box.height - tip.offsetHeight)) + "px";
  };
  for (const dot of document.querySelectorAll(".dot")) {
    for (const event of ["pointerenter", "focus", "click"]) dot.addEventListener(event, () => show(dot));
    for (const event of ["pointerleave", "blur"]) dot.addEventListener(event, () => { tip.hidden = true; });
  }
}
