// Draws one token's attention from its value: tokens tinted by weight, a picture of all heads to choose from.
// Every text of a visitor goes into the page as textContent, never as markup. WORDS is put before this
// script: the page's own sentences by language.
const EDGES = [0.01, 0.05, 0.15, 0.4];
const MOST = 5;
const part = name => element.querySelector('.attention-' + name);
let bytes = new Uint8Array(), layer = -1, head = -1;

const share = value => value > 0 && value < 0.001 ? '< ' + share(0.001)
  : value.toLocaleString(language(), {style: 'percent', maximumFractionDigits: value < 0.1 ? 1 : 0});
const visible = text => text.replace(/\n/g, '↵').replace(/\t/g, '⇥') || '∅';
const spoken = text => text.trim() ? '“' + text.trim() + '”' : text.includes('\n') ? words().newline : words().space;
const named = at => at === 0 && props.value.virtual ? fill(words().virtual, {count: props.value.virtual}) : spoken(props.value.tokens[at]);
const count = () => props.value.tokens.length;
const weight = (l, h, at) => (bytes[(l * props.value.heads + h) * count() + at] / 255) ** 2;
const some = (chosen, all) => chosen < 0 ? [...Array(all).keys()] : [chosen];
const mean = numbers => numbers.reduce((sum, x) => sum + x, 0) / Math.max(numbers.length, 1);
const weights = (l, h) => props.value.tokens.map((_, at) =>
  mean(some(l, props.value.layers).flatMap(a => some(h, props.value.heads).map(b => weight(a, b, at)))));
const step = value => EDGES.filter(edge => value >= edge).length;

function drawPick() {
  const choices = [[part('layer'), words().layer, words().all_layers, props.value.layers, layer],
    [part('head'), words().head, words().all_heads, props.value.heads, head]];
  for (const [select, label, all, number, chosen] of choices) {
    select.previousElementSibling.textContent = label;
    select.replaceChildren(...[-1, ...Array(number).keys()].map(n => new Option(n < 0 ? all : n + 1, n)));
    select.value = chosen;
  }
  const worth = part('worth');
  worth.replaceChildren(make('span', '', words().worth));
  for (const [name, l, h, value] of worthSeeing()) {
    const button = make('button', 'quiet', fill(words()[name], {layer: l + 1, head: h + 1, share: share(value)}));
    button.type = 'button';
    button.dataset.layer = l;
    button.dataset.head = h;
    worth.append(button);
  }
}
function worthSeeing() {
  const last = count() - 1, best = {};
  const offer = (name, l, h, value) => { if (!best[name] || value > best[name][3]) best[name] = [name, l, h, value]; };
  for (let l = 0; l < props.value.layers; l++)
    for (let h = 0; h < props.value.heads; h++) {
      if (last > 1) offer('worth_previous', l, h, weight(l, h, last - 1));
      offer('worth_self', l, h, weight(l, h, last));
      for (let at = 1; at < last - 2; at++) offer('worth_far', l, h, weight(l, h, at));
    }
  return Object.values(best);
}
function drawTokens() {
  const strip = part('tokens'), focused = strip.contains(document.activeElement);
  const here = count() - 1, before = props.value.virtual ? 1 : 0;
  const all = [...props.value.tokens, ...props.value.following];
  strip.replaceChildren();
  all.forEach((text, at) => {
    const token = make(at < before ? 'span' : 'button', 'attention-token', at < before ? named(0) : visible(text));
    token.dataset.at = at;
    if (at >= before) {
      token.type = 'button';
      token.dataset.position = at - before;
      token.tabIndex = at === here ? 0 : -1;
    }
    if (at === here) token.setAttribute('aria-current', 'true');
    token.classList.toggle('later', at > here);
    strip.append(token);
    if (text.includes('\n')) strip.append(make('br'));
  });
  strip.setAttribute('aria-label', words().tokens);
  if (focused) strip.querySelector('[aria-current]').focus();
}
function drawLegend() {
  const legend = part('legend'), last = EDGES.length;
  legend.replaceChildren(make('span', '', words().legend));
  for (let n = 0; n <= last; n++) {
    const swatch = make('span', 'attention-swatch', n ? '≥ ' + share(EDGES[n - 1]) : '< ' + share(EDGES[0]));
    swatch.dataset.sure = n;
    legend.append(swatch);
  }
  legend.append(make('span', 'attention-swatch looks', words().looks), make('span', 'attention-swatch later', words().unseen));
}
function drawWeights() {
  const now = weights(layer, head), here = count() - 1;
  element.querySelectorAll('.attention-token').forEach(token => {
    const at = +token.dataset.at, text = at > here ? words().unseen : share(now[at]);
    token.title = text;
    if (at <= here) token.dataset.sure = step(now[at]);
    const name = at > here ? spoken(props.value.following[at - here - 1]) : named(at);
    if (token.type) token.setAttribute('aria-label', fill(at === here ? words().looking : words().token, {text: name, share: text}));
  });
  const ranked = [...now.keys()].sort((a, b) => now[b] - now[a]).slice(0, MOST);
  part('most').replaceChildren(...ranked.map(at => {
    const item = make('li'), bar = make('span', 'bar'), filled = make('i', 'after');
    filled.style.width = 100 * now[at] + '%';
    bar.append(filled);
    const text = at === 0 && props.value.virtual ? named(0) : visible(props.value.tokens[at]);
    const place = at === here ? words().itself : fill(words().back, {count: here - at});
    item.append(make('span', 'attention-text', text), bar, make('span', 'attention-share', share(now[at])), make('span', 'attention-place', place));
    return item;
  }));
  const who = layer < 0 && head < 0 ? words().everywhere
    : fill(layer < 0 ? words().of_head : head < 0 ? words().of_layer : words().of_both, {layer: layer + 1, head: head + 1});
  part('said').textContent = fill(words().said, {who, text: named(here), most: named(ranked[0]), share: share(now[ranked[0]])});
}
function drawGrid() {
  const [caption, grid] = part('grid').children, last = count() - 1;
  caption.replaceChildren(make('span', '', words().grid));
  for (const [name, text] of [['near', words().near], ['far', words().far], ['resting', words().resting]])
    caption.append(make('span', 'attention-key ' + name, text));
  grid.style.setProperty('--heads', props.value.heads);
  grid.replaceChildren();
  for (let l = 0; l < props.value.layers; l++) {
    grid.append(make('b', '', l % 5 === 4 || !l ? l + 1 : ''));
    for (let h = 0; h < props.value.heads; h++) {
      const cell = make('i'), first = weight(l, h, 0);
      let back = 0, rest = 0;
      for (let at = 1; at <= last; at++) { rest += weight(l, h, at); back += weight(l, h, at) * (last - at); }
      const reach = rest > 0 ? back / rest / Math.max(last, 1) : 0;
      cell.dataset.layer = l;
      cell.dataset.head = h;
      cell.title = fill(words().of_both, {layer: l + 1, head: h + 1});
      cell.classList.toggle('resting', first > 0.5);
      cell.style.setProperty('--reach', (8 + 92 * Math.min(1.25 * reach, 1)).toFixed(0) + '%');
      grid.append(cell);
    }
  }
}
function markGrid() {
  part('grid').querySelectorAll('i').forEach(cell => cell.classList.toggle('chosen',
    (layer < 0 || +cell.dataset.layer === layer) && (head < 0 || +cell.dataset.head === head) && (layer >= 0 || head >= 0)));
}
function drawSink() {
  const first = mean(some(-1, props.value.layers).flatMap(l => some(-1, props.value.heads).map(h => weight(l, h, 0))));
  part('sink').textContent = fill(props.value.virtual ? words().sink_virtual : words().sink, {share: share(first)});
}
function choose(l, h) {
  [layer, head] = [l, h];
  part('layer').value = l;
  part('head').value = h;
  drawWeights(); markGrid();
}
function draw() {
  const view = element.querySelector('.attention');
  view.hidden = !props.value.key;
  if (!props.value.key) return;
  bytes = Uint8Array.from(atob(props.value.weights), letter => letter.charCodeAt(0));
  if (layer >= props.value.layers || head >= props.value.heads) [layer, head] = [-1, -1];
  part('question').textContent = fill(words().question, {text: props.value.question});
  drawPick(); drawTokens(); drawLegend(); drawGrid(); drawWeights(); markGrid(); drawSink();
}
element.addEventListener('change', () => choose(+part('layer').value, +part('head').value));
element.addEventListener('click', event => {
  const token = event.target.closest('button.attention-token'), cell = event.target.closest('[data-layer]');
  if (token) trigger('attend', {position: +token.dataset.position});
  if (cell) choose(+cell.dataset.layer, +cell.dataset.head);
});
element.addEventListener('keydown', event => {
  const token = event.target.closest('button.attention-token');
  const steps = {ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity};
  if (!token || !(event.key in steps)) return;
  event.preventDefault();
  const buttons = [...part('tokens').querySelectorAll('button')];
  const next = buttons[Math.max(0, Math.min(buttons.length - 1, buttons.indexOf(token) + steps[event.key]))];
  token.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
watch('value', draw);
new MutationObserver(draw).observe(document.documentElement, {attributeFilter: ['lang']});
draw();
