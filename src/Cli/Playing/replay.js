'use strict';
// Plays what the page holds: { environment, player, seed, agents, rows and cols | extent, things, episodes: [[frame, ..], ..] },
// where a frame is { things: [numbers of things], actions, rewards, return }.
const replay = JSON.parse(document.getElementById('replay').textContent);
const element = id => document.getElementById(id);
const isGrid = 'rows' in replay, isPlane = 'extent' in replay;
const colors = {
  place: '#2b333f', goal: '#2f9e6b', shelter: '#4c8f5f', thing: '#6b7688', wanted: '#eab53c', agent: '#4f8fe8', rival: '#e8783c',
};
const amount = number => String(Math.round(number * 1e4) / 1e4);
let episode = 0, step = 0, playing = false, due = 0;
const frames = () => replay.episodes[episode];

// --- the scene ---

function drawScene() {
  const canvas = element('scene');
  const room = canvas.parentElement.getBoundingClientRect(), shape = isGrid ? replay.cols / replay.rows : 1;
  const width = Math.floor(Math.min(room.width, room.height * shape)), height = Math.floor(width / shape);
  const pen = sized(canvas, width, height);
  const things = frames()[step].things.map(number => replay.things[number]);
  pen.fillStyle = '#1c222b';
  pen.fillRect(0, 0, width, height);
  if (isGrid) drawGrid(pen, width / replay.cols, things);
  if (isPlane) drawPlane(pen, width, things);
}

// A canvas of so many CSS pixels, sharp on any screen.
function sized(canvas, width, height) {
  const density = window.devicePixelRatio || 1;
  canvas.width = width * density;
  canvas.height = height * density;
  canvas.style.width = width + 'px';
  canvas.style.height = height + 'px';
  const pen = canvas.getContext('2d');
  pen.scale(density, density);
  return pen;
}

function drawGrid(pen, cell, things) {
  pen.strokeStyle = '#2a323d';
  pen.lineWidth = 1;
  pen.beginPath();
  for (let col = 1; col < replay.cols; col++) { pen.moveTo(col * cell, 0); pen.lineTo(col * cell, replay.rows * cell); }
  for (let row = 1; row < replay.rows; row++) { pen.moveTo(0, row * cell); pen.lineTo(replay.cols * cell, row * cell); }
  pen.stroke();
  for (const thing of things) {
    const x = (thing.col + 0.5) * cell, y = (thing.row + 0.5) * cell;
    const carried = things.some(other => other.carries && other.row === thing.row && other.col === thing.col);
    if (isAgent(thing)) drawAgent(pen, x, y, cell, thing);
    else drawSquare(pen, x, y, cell, thing, carried);
  }
}

function drawSquare(pen, x, y, cell, thing, carried) {
  const half = cell * (thing.role === 'place' ? 0.46 : thing.role === 'goal' ? 0.48 : carried ? 0.46 : 0.38);
  pen.fillStyle = colors[thing.role];
  pen.beginPath();
  pen.roundRect(x - half, y - half, 2 * half, 2 * half, cell * 0.1);
  pen.fill();
  if (carried) { pen.strokeStyle = '#fff'; pen.lineWidth = cell * 0.05; pen.stroke(); }
  if (thing.role === 'goal') write(pen, 'goal', x, y, cell * 0.26, '#fff');
  if (thing.label) write(pen, thing.label, x, y, cell * 0.42, '#1c1c1c');
}

function drawAgent(pen, x, y, cell, agent) {
  const radius = cell * 0.3;
  const turn = { up: -Math.PI / 2, down: Math.PI / 2, left: Math.PI, right: 0 }[agent.facing];
  pen.strokeStyle = '#14181f';
  pen.lineWidth = cell * 0.04;
  if (turn !== undefined) {
    pen.save();
    pen.translate(x, y);
    pen.rotate(turn);
    pen.beginPath();
    pen.moveTo(radius * 1.6, 0);
    pen.lineTo(radius * 0.5, -radius);
    pen.lineTo(radius * 0.5, radius);
    pen.closePath();
    pen.fillStyle = '#f4f6fa';
    pen.fill();
    pen.stroke();
    pen.restore();
  }
  disc(pen, x, y, radius);
  pen.fillStyle = colors[agent.role];
  pen.fill();
  pen.stroke();
  write(pen, nameOf(agent), x, y, cell * 0.34, '#fff');
  if (!agent.label) return;
  disc(pen, x + cell * 0.28, y + cell * 0.28, cell * 0.17);
  pen.fillStyle = '#fff';
  pen.fill();
  write(pen, agent.label, x + cell * 0.28, y + cell * 0.28, cell * 0.24, '#1c1c1c');
}

function drawPlane(pen, side, things) {
  const scale = side / (2 * replay.extent * 1.05), place = thing => [side / 2 + thing.x * scale, side / 2 - thing.y * scale];
  pen.strokeStyle = '#2a323d';
  pen.lineWidth = 1;
  pen.strokeRect(side / 2 - scale, side / 2 - scale, 2 * scale, 2 * scale); // the unit square, where agents start
  for (const thing of things) {
    const [x, y] = place(thing), radius = thing.radius * scale;
    disc(pen, x, y, radius);
    pen.fillStyle = pen.strokeStyle = colors[thing.role];
    pen.globalAlpha = isAgent(thing) ? 0.85 : thing.role === 'shelter' ? 0.35 : 0.75;
    pen.fill();
    pen.globalAlpha = 1;
    pen.lineWidth = 1.5;
    pen.stroke();
    if ('agent' in thing) write(pen, nameOf(thing), x, y, Math.max(11, radius * 0.8), '#fff');
    if (thing.label) speak(pen, thing.label, x + radius * 0.8, y - radius * 0.8);
  }
}

// What an agent says, in a bubble.
function speak(pen, words, x, y) {
  pen.font = '600 13px system-ui, sans-serif';
  const width = pen.measureText(words).width + 12;
  pen.fillStyle = '#f4f6fa';
  pen.beginPath();
  pen.roundRect(x, y - 20, width, 20, 8);
  pen.fill();
  write(pen, words, x + width / 2, y - 10, 13, '#1c1c1c');
}

function disc(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
}

function write(pen, words, x, y, size, color) {
  pen.font = `600 ${size}px system-ui, sans-serif`;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillStyle = color;
  pen.fillText(words, x, y);
}

const isAgent = thing => thing.role === 'agent' || thing.role === 'rival';
const nameOf = thing => replay.agents[thing.agent] ? replay.agents[thing.agent].name : '';

// --- what is said about it ---

function sumOf(agent) {
  return frames().slice(1, step + 1).reduce((sum, frame) => sum + frame.rewards[agent], 0);
}

function showNumbers() {
  const frame = frames()[step];
  element('step').textContent = `step ${step} of ${frames().length - 1}`;
  element('total').innerHTML = `${amount(frame.return)} <small class="quiet">return so far</small>`;
  replay.agents.forEach((_, agent) => {
    const [, action, reward, sum] = element('agents').rows[agent].cells, earned = frame.rewards[agent];
    action.textContent = frame.actions[agent] ?? '';
    reward.textContent = earned === undefined ? '' : amount(earned);
    reward.className = earned > 0 ? 'earns' : earned < 0 ? 'loses' : 'quiet';
    sum.textContent = amount(sumOf(agent));
  });
}

// The return as it grew, above the scrubber, and a line where we are.
function drawCurve() {
  const canvas = element('curve'), width = canvas.parentElement.clientWidth, height = 36, pen = sized(canvas, width, height);
  const returns = frames().map(frame => frame.return), low = Math.min(0, ...returns), high = Math.max(0, ...returns);
  // The ends of a range input's way lie half its thumb inside.
  const x = at => 8 + at / Math.max(1, returns.length - 1) * (width - 16), y = value => 3 + (high - value) / (high - low || 1) * (height - 6);
  pen.strokeStyle = '#333c4a';
  pen.beginPath();
  pen.moveTo(x(0), y(0));
  pen.lineTo(x(returns.length - 1), y(0));
  pen.stroke();
  pen.strokeStyle = '#4f8fe8';
  pen.lineWidth = 1.5;
  pen.beginPath();
  returns.forEach((value, at) => pen.lineTo(x(at), y(value)));
  pen.stroke();
  disc(pen, x(step), y(returns[step]), 3);
  pen.fillStyle = '#fff';
  pen.fill();
}

// --- time ---

function show() {
  element('scrub').value = step;
  element('play').textContent = playing ? 'Pause' : 'Play';
  if (isGrid || isPlane) drawScene();
  showNumbers();
  drawCurve();
}

function goTo(target) {
  step = Math.max(0, Math.min(frames().length - 1, target));
  if (step === frames().length - 1) playing = false;
  show();
}

function choose(number) {
  episode = number;
  element('scrub').max = frames().length - 1;
  goTo(0);
}

function toggle() {
  playing = !playing;
  if (playing && step === frames().length - 1) step = 0;
  due = performance.now();
  show();
}

function tick(now) {
  if (playing && now >= due) {
    due = Math.max(due + 1000 / element('speed').value, now - 100);
    goTo(step + 1);
  }
  requestAnimationFrame(tick);
}

function pauseAt(target) {
  playing = false;
  goTo(target);
}

function begin() {
  document.body.classList.toggle('pictured', isGrid || isPlane);
  document.title = `${replay.environment} - replay`;
  element('title').textContent = replay.environment;
  element('player').textContent = `${replay.player}, seed ${replay.seed}`;
  for (const agent of replay.agents) {
    const row = element('agents').insertRow();
    row.innerHTML = `<td><span class="badge" style="background:${colors[agent.role]}">${agent.name}</span></td><td></td><td></td><td></td>`;
  }
  const words = { goal: 'goal', wanted: 'wanted', thing: isGrid ? 'not wanted now' : 'landmark', shelter: 'shelter', place: 'place' };
  const roles = new Set(replay.things.map(thing => thing.role));
  element('legend').innerHTML = Object.keys(words).filter(role => roles.has(role))
    .map(role => `<span><i style="background:${colors[role]}"></i>${words[role]}</span>`).join('');
  replay.episodes.forEach((_, number) => element('episode').add(new Option(`episode ${number + 1}`, number)));
  element('episode').hidden = replay.episodes.length < 2;
  element('episode').onchange = event => choose(Number(event.target.value));
  element('scrub').oninput = event => pauseAt(Number(event.target.value));
  element('play').onclick = toggle;
  element('back').onclick = () => pauseAt(step - 1);
  element('next').onclick = () => pauseAt(step + 1);
  document.onkeydown = event => {
    const at = event.target;
    if (at.tagName === 'SELECT') return; // it has keys of its own
    if (event.key === ' ') { event.preventDefault(); at.blur(); toggle(); } // or a button in focus would hear it too
    if (at.tagName === 'INPUT') return; // so has the scrubber
    if (event.key === 'ArrowLeft') pauseAt(step - 1);
    if (event.key === 'ArrowRight') pauseAt(step + 1);
  };
  window.onresize = show;
  choose(0);
  // replay.html#12 begins at step 12.
  if (location.hash) goTo(Number(location.hash.slice(1)) || 0);
  requestAnimationFrame(tick);
}

begin();
