"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const picture = document.querySelector("svg.map");
  const panel = document.getElementById("map-details");
  const search = document.getElementById("map-search");
  const status = document.getElementById("map-status");
  const matches = document.getElementById("map-matches");
  const nodes = new Map(data.nodes.map((node) => [node.id, node]));
  const edges = new Map(data.nodes.map((node) => [node.id, []]));
  for (const edge of data.edges) {
    edges.get(edge.source).push(edge);
    if (edge.target !== edge.source) edges.get(edge.target).push(edge);
  }
  const places = new Map();
  for (const element of picture.querySelectorAll("[data-node]")) places.set(element.dataset.node, element);
  const groups = new Map();
  for (const element of picture.querySelectorAll(".box[data-group]")) groups.set(element.dataset.group, element);
  const links = [...picture.querySelectorAll(".link")].filter((link) => link.dataset.blocks);
  const MAXIMUM_MATCHES = 30;

  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (name) element.className = name;
    return element;
  };

  const clear = () => {
    picture.classList.remove("dimmed");
    for (const element of picture.querySelectorAll(".lit, .picked")) element.classList.remove("lit", "picked");
  };

  const light = (ids) => {
    clear();
    if (!ids.length) return;
    picture.classList.add("dimmed");
    for (const id of ids) {
      const own = places.get(id);
      if (own) own.classList.add("picked", "lit");
      for (const edge of edges.get(id)) {
        for (const end of [edge.source, edge.target]) {
          const place = places.get(end);
          if (place) place.classList.add("lit");
        }
        for (const link of links) if (shows(link, edge)) link.classList.add("lit");
      }
    }
    for (const element of picture.querySelectorAll(".node.lit")) {
      const box = groups.get(element.dataset.group);
      if (box) box.classList.add("lit");
    }
  };

  const shows = (link, edge) => {
    if (link.dataset.kind !== edge.kind) return false;
    const ends = [places.get(edge.source), places.get(edge.target)];
    const blocks = link.dataset.blocks.split(" ");
    const numbers = (link.dataset.groups || "").split(" ");
    return ends.every((end) => end && (blocks.includes(end.dataset.block) || numbers.includes(end.dataset.group)));
  };

  const addConnections = (id) => {
    const parts = new Map();
    // Settings of the archive itself are the least interesting.
    const own = [...edges.get(id)].sort((one, other) => (one.kind === "internal") - (other.kind === "internal"));
    for (const edge of own) {
      const isOut = edge.source === id;
      const key = JSON.stringify([edge.kind, isOut, edge.attribute, edge.configured_by, edge.rules, edge.assumed]);
      if (!parts.has(key)) parts.set(key, { edge, isOut, others: new Set() });
      parts.get(key).others.add(isOut ? edge.target : edge.source);
    }
    if (!parts.size) return;
    const list = make("ul");
    for (const { edge, isOut, others } of parts.values()) {
      const item = make("li");
      const count = others.size > 1 ? ` (${others.size})` : "";
      item.append(make("b", `${edge.label}${count} ${isOut ? "→" : "←"} `));
      for (const other of others) item.append(nodeButton(nodes.get(other)), " ");
      const reasons = [];
      if (edge.configured_by) reasons.push(edge.configured_by);
      if (edge.rules.length) reasons.push(`rules: ${edge.rules.join(", ")}`);
      if (edge.attribute) {
        reasons.push(edge.attribute_label ? `${edge.attribute} (${edge.attribute_label})` : edge.attribute);
      }
      if (edge.assumed) reasons.push("assumed, because no capabilities are configured");
      if (reasons.length) item.append(make("div", reasons.join(" · "), "soft"));
      if (edge.dn) item.title = edge.dn;
      list.append(item);
    }
    panel.append(make("h3", "Connections"), list);
  };

  const nodeButton = (node) => {
    const button = make("button", node.name, "link-button");
    button.type = "button";
    button.addEventListener("click", () => pick(node.id));
    return button;
  };

  const addFacts = (node) => {
    const list = make("dl");
    const facts = [
      ["Kind", node.summary],
      ["Device", node.device],
      ["Address", node.addresses.join(", ")],
      ["Description", node.description],
      ["Services", node.services.map((each) => each.replace(/_/g, " ")).join(", ")],
      ["Accepted callers", node.kind === "archive_ae" ? node.accepted_callers.join(", ") || "any" : ""],
      ["Destinations", node.accepted_destinations.join(", ")],
      ["Installed", node.installed ? "" : "no"],
      ["DN", node.dn],
    ];
    for (const [name, value] of facts) if (value) list.append(make("dt", name), make("dd", value));
    panel.append(list);
  };

  const addFindings = (node) => {
    for (const finding of node.findings) {
      const item = make("article", "", `is-${finding.severity}`);
      item.append(make("p", `${finding.severity}: ${finding.message}`));
      if (finding.attribute) item.append(make("p", finding.attribute, "soft"));
      const commands = finding.correction_commands.concat(finding.fix_command ? [finding.fix_command] : []);
      if (commands.length) for (const command of commands) item.append(make("code", command));
      else item.append(make("p", `Fix: ${finding.fix}`));
      panel.append(item);
    }
  };

  const pick = (id) => {
    const node = nodes.get(id);
    if (!node) return;
    panel.replaceChildren();
    const close = make("button", "Close", "close");
    close.type = "button";
    close.addEventListener("click", reset);
    panel.append(close, make("h2", node.name));
    addFacts(node);
    addFindings(node);
    addConnections(id);
    panel.hidden = false;
    panel.scrollTop = 0;
    light([id]);
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
    const place = places.get(id);
    if (place) place.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  const reset = () => {
    panel.hidden = true;
    clear();
    history.replaceState(null, "", location.pathname + location.search);
    if (search.value) find();
  };

  const find = () => {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    matches.replaceChildren();
    status.textContent = "";
    if (!words.length) {
      clear();
      return [];
    }
    const found = data.nodes.filter((node) => {
      const text = [node.name, node.device, node.description, ...node.addresses, ...node.device_types]
        .filter(Boolean).join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    status.textContent = found.length === 1 ? "1 match" : `${found.length} matches`;
    for (const node of found.slice(0, MAXIMUM_MATCHES)) matches.append(nodeButton(node));
    light(found.map((node) => node.id));
    return found;
  };

  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      const found = find();
      if (found.length) pick(found[0].id);
    }
  });
  for (const [id, element] of places) {
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "button");
    element.addEventListener("click", () => pick(id));
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      pick(id);
    });
  }
  for (const button of document.querySelectorAll("button[data-pick]")) {
    button.addEventListener("click", () => pick(button.dataset.pick));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") reset();
  });
  document.documentElement.classList.add("has-script");
  if (location.hash.length > 1) pick(decodeURIComponent(location.hash.slice(1)));
})();
