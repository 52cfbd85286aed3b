// A field for one file, chosen or dropped. A file that is too large is named to the server but not sent.

export function render({ model, el }) {
  let serial = 0;
  const make = (tag, attributes, ...children) => {
    const one = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    one.append(...children);
    return one;
  };
  const file = make("input", {type: "file", id: "events"});
  const zone = make("div", {class: "zone"}, make("label", {for: "events"}, model.label), file);

  async function send(one) {
    if (!one) return;
    serial += 1;
    const mine = serial;
    let content = "";
    if (one.size <= model.most) {
      content = await new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
        reader.onerror = () => done("");
        reader.readAsDataURL(one);
      });
    }
    if (mine === serial) model.upload = {serial, name: one.name, size: one.size, content};
  }
  // The same file can be chosen again.
  file.addEventListener("click", () => { file.value = ""; });
  file.addEventListener("change", () => send(file.files[0]));
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    file.files = event.dataTransfer.files;
    send(file.files[0]);
  });
  return zone;
}
