// Draws the X-ray from its value: tokens coloured by how their likelihood changed, both lists of one place,
// and how the other branch goes on. Texts go into the page as textContent. WORDS are put before this script.
const EDGES = [0.1, 0.7, 2];
const part = name => element.querySelector('.xray-' + name);
let place = 0, drawn = {};

const number = (value, digits) => value.toLocaleString(language(), {minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: 'exceptZero'});
const share = logprob => {
  const value = Math.exp(logprob), percent = (x, digits) => x.toLocaleString(language(), {style: 'percent', maximumFractionDigits: digits});
  return value < 0.001 ? '< ' + percent(0.001, 1) : percent(value, value < 0.1 ? 1 : 0);
};
const visible = text => text.replace(/\n/g, '↵').replace(/\t/g, '⇥').replace(/\ufffd+/g, '◌') || '∅';
const isControl = text => /^<\|.*\|>$|^<\/?s>$/.test(text);
const tokens = () => props.value.tokens.map(([id, text, base, adapted]) => ({id, text, base, adapted, change: adapted[0] - base[0]}));
const step = change => Math.sign(change) * EDGES.filter(edge => Math.abs(change) >= edge).length;

function drawVerdict(all) {
  const sum = all.reduce((total, token) => total + token.change, 0), title = props.value.title;
  const same = all.every(token => token.base[0] === token.adapted[0]);
  const fork = all[props.value.fork];
  let said = fill(same ? words().nothing : sum > 0 ? words().likelier : words().unlikelier,
    {title, sum: number(Math.abs(sum), 1).replace('+', ''), each: number(Math.abs(sum) / all.length, 2).replace('+', ''), count: all.length});
  if (fork) said += ' ' + fill(words().fork, {title, place: props.value.fork + 1, base: visible(fork.base[2][0][1]).trim(), adapted: visible(fork.adapted[2][0][1]).trim()});
  else if (!same) said += ' ' + words().no_fork;
  part('verdict').textContent = said;
}
function drawLegend() {
  const swatch = (at, text) => { const made = make('span', 'xray-swatch', text); made.dataset.change = at; return made; };
  const edge = EDGES[EDGES.length - 1];
  part('legend').replaceChildren(swatch(-3, fill(words().less, {edge})), swatch(-1, ''), swatch(0, words().same), swatch(1, ''), swatch(3, fill(words().more, {edge})), make('span', 'xray-swatch forks', words().forks));
}
function tokenButton(token, at) {
  const button = make('button', 'xray-token', visible(token.text));
  button.type = 'button';
  button.dataset.place = at;
  button.dataset.change = step(token.change);
  button.classList.toggle('forks', at === props.value.fork);
  button.setAttribute('aria-label', fill(words().token, {text: visible(token.text), change: number(token.change, 2)}));
  button.tabIndex = at === place ? 0 : -1;
  return button;
}
function drawTokens(all) {
  const strip = part('tokens');
  strip.setAttribute('aria-label', words().tokens);
  strip.replaceChildren(...all.flatMap((token, at) => token.text.includes('\n') ? [tokenButton(token, at), make('br')] : [tokenButton(token, at)]));
}
function other([id, text, logprob], token, side) {
  const item = make('li'), here = id === token.id, ends = isControl(text), line = make(here || ends ? 'span' : 'button', 'lens-other'), bar = make('span', 'lens-bar');
  bar.style.width = Math.max(Math.exp(logprob) * 100, 0.5) + '%';
  line.append(make('span', 'lens-text', visible(text)), make('span', 'lens-share', share(logprob)), bar);
  if (here) { item.setAttribute('aria-current', 'true'); line.append(make('span', 'lens-note', words().stands)); }
  else if (ends) line.append(make('span', 'lens-note', words().ends));
  else {
    line.type = 'button';
    line.dataset.token = id;
    line.dataset.side = side;
    line.setAttribute('aria-label', fill(words().go_on, {text: visible(text), who: side === 'base' ? words().base : props.value.title}));
  }
  item.append(line);
  return item;
}
function drawPlace(all) {
  const panel = part('place'), token = all[place];
  panel.replaceChildren();
  if (!token) return;
  panel.append(make('p', 'lens-at', fill(words().at, {place: place + 1, text: visible(token.text), base: share(token.base[0]), adapted: share(token.adapted[0]), change: number(token.change, 2)})), make('p', 'hint', words().choose));
  const lists = make('div', 'xray-lists');
  for (const [side, name, judged] of [['base', words().base, token.base], ['adapter', props.value.title, token.adapted]]) {
    const box = make('div', 'speaker-' + (side === 'base' ? 0 : 1)), list = make('ol', 'lens-others');
    list.append(...judged[2].map(entry => other(entry, token, side)));
    box.append(make('p', 'who', name), list);
    lists.append(box);
  }
  panel.append(lists);
  element.querySelectorAll('.xray-token').forEach(button => {
    const here = +button.dataset.place === place;
    button.tabIndex = here ? 0 : -1;
    here ? button.setAttribute('aria-current', 'true') : button.removeAttribute('aria-current');
  });
}
function drawOn(all) {
  const on = props.value.on, box = part('on');
  box.replaceChildren();
  if (on.text === undefined) return;
  const said = all[on.place]?.[on.side === 'base' ? 'base' : 'adapted'][2].find(([id]) => id === on.token);
  const answer = make('div', 'answer speaker-' + (on.side === 'base' ? 0 : 1));
  answer.append(make('p', 'who', fill(words().continued, {who: on.side === 'base' ? words().base : props.value.title, place: on.place + 1})),
    make('p', 'said', all.slice(0, on.place).map(token => token.text).join('') + (said ? said[1] : '') + on.text + (on.done ? '' : ' …')));
  box.append(answer);
}
function draw() {
  const value = props.value, all = tokens();
  element.querySelector('.xray').dataset.any = all.length > 0;
  part('said').replaceChildren(...(value.said ? [make('p', 'notice error', value.said)] : []));
  if (!all.length) return;
  if (drawn.key !== value.key) place = Math.max(value.fork, 0);
  if (drawn.key !== value.key || drawn.language !== language()) {
    drawVerdict(all); drawLegend(); drawTokens(all); drawPlace(all);
  }
  drawn = {key: value.key, language: language()};
  drawOn(all);
}
function look(at, focus) {
  const all = tokens();
  place = Math.max(0, Math.min(at, all.length - 1));
  drawPlace(all);
  if (focus) part('tokens').querySelector('[data-place="' + place + '"]')?.focus();
}
element.addEventListener('click', event => {
  const token = event.target.closest('.xray-token'), chosen = event.target.closest('button.lens-other');
  if (token) look(+token.dataset.place, true);
  if (chosen) trigger('fork', {place, token: +chosen.dataset.token, side: chosen.dataset.side});
});
element.addEventListener('focusin', event => {
  const token = event.target.closest('.xray-token');
  if (token && +token.dataset.place !== place) look(+token.dataset.place, false);
});
const keys = {
  ArrowRight: () => look(place + 1, true), ArrowLeft: () => look(place - 1, true),
  Home: () => look(0, true), End: () => look(Infinity, true),
  ArrowDown: () => part('place').querySelector('button')?.focus(),
};
element.addEventListener('keydown', event => {
  if (event.target.closest('.xray-token') && keys[event.key]) { event.preventDefault(); keys[event.key](); }
  else if (event.key === 'Escape' && event.target.closest('.xray-place')) look(place, true);
});
watch('value', draw);
new MutationObserver(draw).observe(document.documentElement, {attributeFilter: ['lang']});
draw();
