"use strict";
const at = (id) => document.getElementById(id);
const json = { "content-type": "application/json" };

async function signIn() {
  const body = JSON.stringify({ email: "", password: "" });
  const answer = await fetch("/api/v1/auths/signin", { method: "POST", headers: json, body });
  const user = await answer.json();
  at("who").textContent = answer.ok ? `${user.name} <${user.email}>, ${user.role}` : `not signed in: ${user.detail}`;
  const models = (await (await fetch("/api/models")).json()).data || [];
  for (const model of models) at("model").append(new Option(model.name, model.id));
}

async function ask(event) {
  event.preventDefault();
  at("answer").textContent = "";
  const messages = [{ role: "user", content: at("prompt").value }];
  const body = JSON.stringify({ model: at("model").value, messages, stream: true });
  const answer = await fetch("/api/chat/completions", { method: "POST", headers: json, body });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (left + part.value).split("\n");
    left = lines.pop();
    for (const line of lines.filter((one) => one.startsWith("data: {"))) {
      const choice = (JSON.parse(line.slice(6)).choices || [])[0];
      at("answer").textContent += (choice && choice.delta && choice.delta.content) || "";
    }
  }
}

async function leave() {
  const answer = await (await fetch("/api/v1/auths/signout", { method: "POST" })).json();
  window.location = answer.redirect_url || "/";
}

at("ask").addEventListener("submit", ask);
at("leave").addEventListener("click", leave);
signIn();
