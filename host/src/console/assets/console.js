// What makes the console quicker to use. Every page reads and works without it.
"use strict";

// Puts what the hub tells of a run into the page as it happens, and loads the page again at the end.
function follow(box) {
  const source = new EventSource(box.dataset.live);
  const put = (name, text) => {
    const place = box.querySelector(`[data-put="${name}"]`);
    if (place && place.textContent !== text) place.textContent = text;
  };
  source.addEventListener("progress", (event) => {
    const told = JSON.parse(event.data);
    put("rows", told.rows);
    put("state", told.state);
  });
  source.addEventListener("step", (event) => {
    const told = JSON.parse(event.data);
    put("step", told.words);
    put("state", told.state);
  });
  source.addEventListener("end", () => {
    source.close();
    window.location.reload();
  });
}

// Asks the hub about a form's values while they are typed, and puts its answer beside each field.
function check(box) {
  const form = box.closest("form");
  const ask = async () => {
    const answer = await fetch(box.dataset.check, {
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    if (!answer.ok) return;
    const told = await answer.json();
    for (const field of form.querySelectorAll("[data-field]")) {
      const fault = told.faults[field.dataset.field] || "";
      field.classList.toggle("wrong", fault !== "");
      const place = field.querySelector("[data-fault]");
      if (place.textContent !== fault) place.textContent = fault;
      place.hidden = fault === "";
    }
    const summary = form.querySelector("[data-verdict]");
    if (summary) summary.textContent = told.verdict;
  };
  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 400);
  });
}

// Marks every row of a table at once.
function choose(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const boxes = [...document.querySelectorAll(`input[type=checkbox][name="${button.dataset.choose}"]`)];
    const on = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = on;
  });
}

document.querySelectorAll("[data-live]").forEach(follow);
document.querySelectorAll("[data-check]").forEach(check);
document.querySelectorAll("button[data-choose]").forEach(choose);
const told = document.querySelector(".told[tabindex]");
if (told) told.focus();
