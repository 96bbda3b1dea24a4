// Filters the requests, and describes the arrow under the pointer or with the focus. The page can be read without it.
document.querySelectorAll("[data-filter]").forEach((input) => {
  const rows = Array.from(document.querySelectorAll(input.dataset.filter + " tbody tr"));
  const shown = document.getElementById(input.getAttribute("aria-describedby"));
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row) => {
      row.hidden = !words.every((word) => row.dataset.text.includes(word));
      count += row.hidden ? 0 : 1;
    });
    shown.textContent = count + " of " + rows.length + " lines";
  };
  input.addEventListener("input", apply);
  apply();
});
document.querySelectorAll("svg.diagram").forEach((drawing) => {
  const caption = drawing.closest("figure").querySelector("figcaption");
  const initial = caption.textContent;
  const describe = (event) => {
    const link = event.target.closest && event.target.closest("a.link");
    if (link) caption.textContent = link.querySelector("title").textContent;
  };
  drawing.addEventListener("mouseover", describe);
  drawing.addEventListener("focusin", describe);
  drawing.addEventListener("mouseleave", () => { caption.textContent = initial; });
});
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
