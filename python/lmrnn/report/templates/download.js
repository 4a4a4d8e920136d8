// Saves the figure above a button as a file, in the colours of a white page.
const white = { ink: "#222222", soft: "#5c5c5c", pale: "#d9d9d9", paper: "#ffffff", shade: "#eeeeee" };
for (const button of document.querySelectorAll("button.download")) {
  button.addEventListener("click", () => {
    const svg = button.closest("figure").querySelector("svg").cloneNode(true);
    const box = svg.viewBox.baseVal;
    svg.setAttribute("width", `${box.width}pt`);
    svg.setAttribute("height", `${box.height}pt`);
    const text = new XMLSerializer().serializeToString(svg).replace(/var\(--(\w+)\)/g, (all, name) => white[name] ?? all);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    link.download = button.dataset.name;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}
