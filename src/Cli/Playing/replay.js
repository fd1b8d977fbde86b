'use strict';
// Controls the time of the animation and shows the actions, rewards and returns. The data is { environment, player, seed, stepsPerSecond, agents, episodes }; an episode
// is { start, frames } with its start in the animation in steps, a frame is { actions, rewards, return }.
const replay = JSON.parse(document.getElementById('replay').textContent);
const element = id => document.getElementById(id);
const picture = document.querySelector('#scene > svg');
const amount = number => String(Math.round(number * 1e4) / 1e4);
const frames = () => replay.episodes[episode].frames;
const last = () => frames().length - 1;
let episode = 0, time = 0, playing = false, before = 0, due = 0; // time in steps since the episode began

function show() {
  // The offset includes the changes at the time of the step itself.
  if (picture) picture.setCurrentTime((replay.episodes[episode].start + Math.min(time + 0.01, last() + 0.01)) / replay.stepsPerSecond);
  const step = Math.min(last(), Math.floor(time + 1e-6)), frame = frames()[step];
  element('scrub').value = step;
  element('play').textContent = playing ? 'Pause' : 'Play';
  element('step').textContent = `step ${step} of ${last()}`;
  element('total').textContent = amount(frame.return);
  replay.agents.forEach((_, agent) => {
    const [action, reward, total] = element('agents').rows[agent].querySelectorAll('td'), value = frame.rewards[agent];
    action.textContent = frame.actions[agent] ?? '';
    reward.textContent = value === undefined ? '' : amount(value);
    reward.className = 'number ' + (value > 0 ? 'gain' : value < 0 ? 'loss' : 'soft');
    total.textContent = amount(frames().slice(1, step + 1).reduce((sum, past) => sum + past.rewards[agent], 0));
  });
}

function goTo(target) {
  time = Math.max(0, Math.min(last(), target));
  if (time === last()) playing = false;
  show();
}

function pauseAt(target) {
  playing = false;
  goTo(target);
}

function choose(number) {
  episode = Math.max(0, Math.min(replay.episodes.length - 1, number));
  element('episode').value = episode;
  element('scrub').max = last();
  drawCurve();
  goTo(0);
}

function toggle() {
  playing = !playing;
  if (playing && time === last()) time = 0;
  before = performance.now();
  cancelAnimationFrame(due);
  due = requestAnimationFrame(tick);
  show();
}

function tick(now) {
  if (!playing) return;
  const passed = Math.max(0, now - before) / 1000;
  before = now;
  goTo(time + passed * element('speed').value);
  due = requestAnimationFrame(tick);
}

function accelerate(by) {
  const speed = element('speed');
  speed.selectedIndex = Math.max(0, Math.min(speed.length - 1, speed.selectedIndex + by));
}

// Draws the return over the steps, above the scrubber.
function drawCurve() {
  const returns = frames().map(frame => frame.return), low = Math.min(0, ...returns), high = Math.max(0, ...returns);
  const y = value => 0.05 + 0.9 * (high - value) / (high - low || 1);
  element('curve').querySelector('polyline').setAttribute('points', returns.map((value, step) => `${step / Math.max(1, last())},${y(value)}`).join(' '));
  for (const end of ['y1', 'y2']) element('curve').querySelector('line').setAttribute(end, y(0));
}

function addAgent(agent) {
  const row = element('agents').insertRow(), name = document.createElement('th'), badge = document.createElement('span');
  badge.className = 'badge';
  badge.style.background = agent.fill;
  badge.style.color = agent.ink;
  badge.textContent = agent.letter;
  name.scope = 'row';
  name.append(badge, agent.name === agent.letter ? '' : agent.name);
  row.append(name);
  for (let cell = 0; cell < 3; cell++) row.insertCell().className = cell ? 'number' : '';
}

const keys = {
  ' ': toggle,
  ArrowLeft: () => pauseAt(Math.ceil(time) - 1),
  ArrowRight: () => pauseAt(Math.floor(time) + 1),
  Home: () => pauseAt(0),
  End: () => pauseAt(last()),
  PageUp: () => choose(episode - 1),
  PageDown: () => choose(episode + 1),
  '+': () => accelerate(1),
  '-': () => accelerate(-1),
};

function begin() {
  document.title = `${replay.environment} - replay`;
  document.body.classList.toggle('bare', !picture);
  element('title').textContent = replay.environment;
  element('player').textContent = `${replay.player}, seed ${replay.seed}`;
  if (picture) picture.pauseAnimations();
  replay.agents.forEach(addAgent);
  replay.episodes.forEach((_, number) => element('episode').add(new Option(`episode ${number + 1}`, number)));
  element('episode').hidden = replay.episodes.length < 2;
  element('episode').onchange = event => choose(Number(event.target.value));
  element('scrub').oninput = event => pauseAt(Number(event.target.value));
  element('play').onclick = toggle;
  element('back').onclick = keys.ArrowLeft;
  element('next').onclick = keys.ArrowRight;
  document.onkeydown = event => {
    const { key, target: { tagName } } = event, space = key === ' ';
    // Lists, the scrubber and buttons handle some keys themselves.
    if (event.ctrlKey || event.altKey || event.metaKey || !(key in keys)) return;
    if (tagName === 'SELECT' || tagName === 'INPUT' && !space || tagName === 'BUTTON' && space) return;
    event.preventDefault();
    keys[key]();
  };
  choose(0);
  // replay.html#12 begins at step 12.
  if (location.hash) goTo(Number(location.hash.slice(1)) || 0);
}

if (replay.episodes.length > 0) begin();
