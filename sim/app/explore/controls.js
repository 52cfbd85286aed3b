// The form of settings. The settings are kept as the texts of the URL; all of them are sent with every change, one message
// at a time, so that the newest always wins and a slow server is never flooded.

const STEPS = 200;

export function render({ model, el }) {
  let form = model.form;
  let want = {...model.state.texts}, editing = "a", serial = 0, waiting = 0, waitingSince = 0, dirty = false;
  let touched = null;
  const fields = new Map(), names = new Map();

  const make = (tag, attributes = {}, ...children) => {
    const one = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name in one && typeof value !== "string") one[name] = value; else one.setAttribute(name, value);
    }
    one.append(...children.filter((child) => child !== null));
    return one;
  };

  // --- the settings -------------------------------------------------------------------------------------
  const prefix = () => (editing === "b" ? model.state.other : "");
  const set = (key, text) => { want[prefix() + key] = text; send(); };
  const mine = (side) => {
    const other = model.state.other;
    return Object.entries(want).filter(([key]) => key !== "seed" && key.startsWith(other) === (side === "b"))
      .map(([key, text]) => [side === "b" ? key.slice(other.length) : key, text]);
  };
  const drop = (side) => { for (const [key] of mine(side)) delete want[(side === "b" ? model.state.other : "") + key]; };

  function send() {
    dirty = true;
    const now = performance.now();
    if (waiting > 0 && now - waitingSince < 4000) return;
    dirty = false;
    serial += 1; waiting = serial; waitingSince = now;
    model.asked = {serial, texts: {...want}};
  }

  // --- sliders --------------------------------------------------------------------------------------------
  const written = (value) => String(Number(Number(value).toPrecision(3)));
  const rounded = (value, step) => String(Number((Math.round(value / step) * step).toPrecision(12)));

  function sliderOf(one, id) {
    const range = make("input", {type: "range", id, "data-key": one.key});
    const number = make("input", {type: "number", step: "any", min: String(one.least), max: String(one.most),
      title: `${one.least} to ${one.most}`, "data-typed": one.key});
    const back = make("button", {type: "button", class: "back", title: "As in the scenario"}, "↺");
    const unit = make("span", {class: "unit"}, one.unit);
    const label = make("label", {for: id});
    const ends = make("div", {class: "ends", "aria-hidden": "true"}, make("span"), make("span"));
    const box = make("div", {class: "field"}, label,
      make("div", {class: "line"}, make("div", {class: "slide"}, range, ends), number, unit, back));
    names.set(one.key, (slider) => {
      label.replaceChildren(slider.label, slider.hint ? make("span", {class: "hint"}, ` (${slider.hint})`) : "");
      number.setAttribute("aria-label", `${slider.label}, typed`);
      back.setAttribute("aria-label", `${slider.label}: as in the scenario`);
    });
    let low = one.low, high = one.high, own = null;
    const toText = (place) => one.ratio
      ? written(low * Math.pow(high / low, place / STEPS))
      : rounded(Number(place), one.step);
    const toPlace = (value) => one.ratio
      ? Math.round(STEPS * Math.log(Math.max(value, low) / low) / Math.log(high / low)) : value;
    const say = (text) => range.setAttribute("aria-valuetext", `${text} ${one.unit}`);
    range.addEventListener("input", () => {
      const text = toText(range.value);
      number.value = text; say(text); mark(Number(text)); touched = one.key;
      set(one.key, text);
    });
    number.addEventListener("change", () => { touched = null; if (number.value !== "") set(one.key, number.value); });
    back.addEventListener("click", () => { touched = null; delete want[prefix() + one.key]; send(); range.focus(); });
    const mark = (value) => { box.classList.toggle("moved", value !== own); back.disabled = value === own; };
    fields.set(one.key, (value, base) => {
      own = base;
      if (touched === one.key && el.getRootNode().activeElement === range && dirty) return;
      low = Math.min(one.low, value, base); high = Math.max(one.high, value, base);
      if (one.ratio && low <= 0) low = one.low;
      [low, high].forEach((end, place) => { ends.children[place].textContent = written(end); });
      [range.min, range.max, range.step] = one.ratio ? [0, STEPS, 1] : [low, high, one.step];
      if (!one.ratio) range.step = "any";
      range.value = toPlace(value);
      if (!one.ratio) range.step = one.step;
      number.value = String(Number(value.toPrecision(12)));
      say(number.value); mark(value);
    });
    return box;
  }

  function switchOf(one, id) {
    const box = make("input", {type: "checkbox", id, "data-key": one.key});
    box.addEventListener("change", () => set(one.key, String(box.checked)));
    fields.set(one.key, (value) => { box.checked = value; });
    const label = make("label", {for: id});
    names.set(one.key, (named) => { label.textContent = named.label; });
    return make("div", {class: "switch"}, box, label);
  }

  // --- the controls above them -----------------------------------------------------------------------------
  const scenario = make("select", {id: "scenario"},
    ...form.scenarios.map((one) => make("option", {value: one.name}, one.title)));
  const question = make("p", {class: "hint", id: "question"});
  scenario.setAttribute("aria-describedby", "question");
  scenario.addEventListener("change", () => {
    drop(editing);
    if (editing === "b" || scenario.value !== form.usual) want[prefix() + "scenario"] = scenario.value;
    send();
  });
  // Events and questions in words; several are parted by semicolons.
  const inWords = (id, example, before) => {
    const box = make("input", {type: "text", id, placeholder: example, spellcheck: "false", maxlength: "400"});
    box.addEventListener("change", () => {
      if (box.value.trim()) want[before() + id] = box.value; else delete want[before() + id];
      send();
    });
    return box;
  };
  const interventions = inWords("interventions", "order iraq stop from 2023-12-10", prefix);
  const outcomes = inWords("outcomes", "war by 2024-06-01; lull_days >= 90", () => "");
  const free = make("input", {type: "checkbox", id: "free"});
  free.addEventListener("change", () => {
    if (free.checked) want[prefix() + "history"] = "free"; else delete want[prefix() + "history"];
    send();
  });
  const seed = make("input", {type: "number", id: "seed", min: "0", step: "1"});
  seed.addEventListener("change", () => { if (seed.value !== "") { want.seed = seed.value; send(); } });
  const compare = make("input", {type: "checkbox", id: "compare"});
  compare.addEventListener("change", () => {
    drop("b");
    if (compare.checked) {
      want[model.state.other + "scenario"] = model.state.a.scenario;
      for (const [key, text] of mine("a")) want[model.state.other + key] = text;
    }
    send();
    choose(compare.checked ? "b" : "a");
  });
  const sides = make("fieldset", {class: "sides"}, make("legend", {}, "Set"),
    ...["a", "b"].map((side) => {
      const radio = make("input", {type: "radio", name: "side", id: `side-${side}`, value: side});
      radio.addEventListener("change", () => choose(side));
      return make("span", {class: `side ${side}`}, radio, make("label", {for: `side-${side}`}, side.toUpperCase()));
    }));
  const again = make("button", {type: "button", id: "again"}, "All as in the scenario");
  again.addEventListener("click", () => {
    const name = model.state[editing].scenario;
    drop(editing);
    if (editing === "b" || name !== form.usual) want[prefix() + "scenario"] = name;
    send();
  });
  const file = make("input", {type: "file", id: "file", accept: ".yaml,.yml,text/yaml"});
  file.addEventListener("change", async () => {
    const one = file.files[0];
    if (!one) return;
    serial += 1;
    // Larger files are refused anyway; what is sent of one is enough to say so.
    model.upload = {serial, side: editing, text: await one.slice(0, 200000).text(), texts: {...want}};
    file.value = "";
  });

  function choose(side) {
    editing = side;
    sides.querySelector(`#side-${side}`).checked = true;
    // While an answer is awaited, the state is still that of before; with the answer all of it is shown.
    if (waiting === 0) apply();
  }

  function apply() {
    const state = model.state;
    if (editing === "b" && !state.b) editing = "a";
    const now = state[editing];
    scenario.value = now.scenario;
    question.textContent = form.scenarios.find((one) => one.name === now.scenario).question;
    free.checked = now.free;
    interventions.value = now.interventions;
    outcomes.value = state.outcomes;
    seed.value = state.seed;
    compare.checked = Boolean(state.b);
    sides.hidden = !state.b;
    el.getRootNode().host?.classList.toggle("b", editing === "b");
    sides.querySelector(`#side-${editing}`).checked = true;
    for (const [key, show] of fields) show(now.values[key], now.own[key]);
    again.disabled = Object.keys(now.values).every((key) => now.values[key] === now.own[key]) && !now.free && !now.interventions;
  }

  function heard() {
    const state = model.state;
    if (state.serial && state.serial < waiting) return;
    waiting = 0;
    if (dirty) { send(); return; }
    want = {...state.texts};
    apply();
  }
  model.on("state", heard);

  // --- the whole ------------------------------------------------------------------------------------------
  const fold = (title, open, ...inside) => make("details", {open}, make("summary", {}, title), ...inside);
  const groups = form.groups.map((group, place) =>
    fold("", group.open, ...group.sliders.map((one, at) => sliderOf(one, `s${place}-${at}`))));
  // Roles have the names of the case that is shown.
  function call() {
    form = model.form;
    form.groups.forEach((group, place) => { groups[place].querySelector("summary").textContent = group.title; });
    for (const one of [...form.groups.flatMap((group) => group.sliders), ...form.switches]) names.get(one.key)(one);
  }
  model.on("form", call);
  const root = make("form", {"aria-label": "Settings", autocomplete: "off"},
    make("h2", {}, "Settings"),
    make("div", {class: "field"}, make("label", {for: "scenario"}, "Scenario"), scenario, question),
    make("div", {class: "switch"}, compare, make("label", {for: "compare"}, "Compare with a second scenario, B")),
    sides,
    make("div", {class: "field"}, make("label", {for: "interventions", class: "block"}, "What if: events in words"), interventions),
    make("div", {class: "field"}, make("label", {for: "outcomes", class: "block"}, "What you ask: dates and thresholds"), outcomes),
    make("div", {class: "switch"}, free, make("label", {for: "free"}, "History free: no documented deaths or strikes are pinned")),
    ...groups,
    fold("Mechanisms at work", false, ...form.switches.map((one, at) => switchOf(one, `m${at}`))),
    fold("Seed, and a scenario from a file", false,
      make("div", {class: "field"}, make("label", {for: "seed", class: "block"}, "Seed: other random numbers for all histories"), seed),
      make("div", {class: "field"}, make("label", {for: "file", class: "block"}, "Load a scenario file (YAML)"), file)),
    again);
  root.addEventListener("submit", (event) => event.preventDefault());
  call();
  apply();
  return root;
}
