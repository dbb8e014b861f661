// Replays a run's probes: the slider moves through the answers that the value holds, and asks nobody.
// Every text of a visitor or a model goes into the page as textContent, never as markup.
const part = name => element.querySelector('.lapse-' + name);
const slider = part('slider'), play = part('play');
let run = '', at = null, playing = 0;  // at: null follows the newest answer

const make = (tag, name, text) => {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
};
const fill = (sentence, fields) => sentence.replace(/\{(\w+)\}/g, (whole, name) => fields[name] ?? whole);
const shots = () => props.value?.answers ?? [];
const shown = () => at === null ? shots().length - 1 : Math.min(at, shots().length - 1);

function row(probe, answer, before, words) {
  const made = document.createElement('li');
  const said = make('p', before !== undefined && before !== answer ? 'said changed' : 'said', answer || words.empty);
  made.append(make('p', 'asked', probe.question), said, make('p', 'cost', fill(words.expected, {expected: probe.expected})));
  return made;
}
function mark(step) {
  const place = document.querySelector(props.value?.curve ?? '#progress');
  const picture = place?.querySelector('.curve svg[data-steps]'), line = picture?.querySelector('.scrub');
  if (!line) return;
  const {left, width, steps} = picture.dataset;
  const x = Number(left) + Number(width) * step / Math.max(Number(steps), 1);
  line.setAttribute('x1', x);
  line.setAttribute('x2', x);
  line.style.visibility = at === null ? 'hidden' : 'visible';
}
function draw() {
  const {probes = [], words = {}} = props.value ?? {};
  if (props.value?.run !== run) {
    run = props.value?.run; at = null; stop();
    if (props.value?.plays && !matchMedia('(prefers-reduced-motion: reduce)').matches) begin();
  }
  element.querySelector('.lapse').hidden = !shots().length;
  if (!shots().length) return;
  const now = shown(), shot = shots()[now], before = shots()[now - 1];
  part('title').textContent = words.title;
  slider.setAttribute('aria-label', words.slider);
  slider.max = shots().length - 1;
  slider.value = now;
  const told = fill(now ? words.step : words.start, {step: shot.step});
  slider.setAttribute('aria-valuetext', told);
  part('step').textContent = told;
  play.textContent = playing ? words.pause : words.play;
  play.hidden = shots().length < 2;
  part('answers').replaceChildren(...probes.map((probe, n) => row(probe, shot.answers[n] ?? '', before?.answers[n], words)));
  mark(shot.step);
}
function look(place) {
  at = place >= shots().length - 1 ? null : Math.max(0, place);
  draw();
}
function begin() {
  at = 0;
  playing = setInterval(() => {
    if (shown() >= shots().length - 2) stop();
    look(shown() + 1);
  }, 900);
}
function stop() { clearInterval(playing); playing = 0; }
slider.addEventListener('input', () => { stop(); look(Number(slider.value)); });
play.addEventListener('click', () => {
  if (playing) stop(); else begin();
  draw();
});
watch('value', draw);
draw();
