// Draws the lens from its value: tokens tinted by probability, the alternatives of one, the tree of branches.
// Every text of a visitor or a model goes into the page as textContent, never as markup. WORDS, the
// page's own sentences by language, and LIMITS are put before this script.
const SURE = [0.1, 0.3, 0.6, 0.9];
const part = name => element.querySelector('.lens-' + name);
const parsed = [];
let newest = props.value, shown = 0, place = 0, drawn = {}, follow = false, halted = null;

const share = value => {
  const percent = (x, digits) => x.toLocaleString(language(), {style: 'percent', maximumFractionDigits: digits});
  return value < 0.001 ? '< ' + percent(0.001, 1) : percent(value, value < 0.1 ? 1 : 0);
};
const sure = probability => SURE.filter(edge => probability >= edge).length;
const isControl = token => /^<\|.*\|>$|^<\/?s>$/.test(token.text);
const visible = text => text.replace(/\n/g, '↵').replace(/\t/g, '⇥').replace(/\ufffd+/g, '◌') || '∅';
const unseen = text => !/[^ \p{Cf}\p{Co}\p{Cn}\p{M}]/u.test(text);
const codes = text => [...text].map(c => c === ' ' ? '␣' : 'U+' + c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')).join(' ');
const listed = text => text && unseen(text) ? codes(text) : visible(text);
const spoken = text => {
  if (text.includes('\ufffd')) return words().piece;
  if (text.trim()) return fill(words().quoted, {text: text.trim()});
  return text.includes('\n') ? words().newline : words().space;
};

const tokenOf = ([id, text, logprob, rank, others]) => ({
  id, text, rank, probability: Math.exp(logprob),
  others: others.map(([id, text, logprob]) => ({id, text, probability: Math.exp(logprob)})),
});
function own(number) {
  const {tokens} = props.value.branches[number];
  const known = parsed[number]?.from === props.value.key && tokens.startsWith(parsed[number].source) ? parsed[number] : null;
  const fresh = tokens.slice(known ? known.source.length : 0).split('\n').filter(Boolean).map(line => tokenOf(JSON.parse(line)));
  parsed[number] = {from: props.value.key, source: tokens, tokens: [...(known ? known.tokens : []), ...fresh]};
  return parsed[number].tokens;
}
function path(number) {
  const branch = props.value.branches[number];
  return branch.parent < 0 ? own(number) : [...path(branch.parent).slice(0, branch.place), ...own(number)];
}
function owner(number, at) {
  const branch = props.value.branches[number];
  return branch.parent < 0 || at > branch.place ? number : owner(branch.parent, at);
}
const leavesAt = (number, at) => {
  const from = owner(number, at);
  return props.value.branches.flatMap((b, n) => (b.parent === from && b.place === at ? [n] : []));
};
const busy = () => props.value.branches.some(branch => !branch.reason);

function tokenButton(token, at) {
  const button = make('button', 'lens-token', visible(token.text));
  button.type = 'button';
  button.dataset.place = at;
  button.dataset.sure = sure(token.probability);
  button.classList.toggle('surprise', token.rank > 1);
  button.classList.toggle('begins', at === props.value.branches[shown].place && shown > 0);
  const said = {text: spoken(token.text), probability: share(token.probability), rank: token.rank};
  button.setAttribute('aria-label', fill(words().token, said));
  button.tabIndex = at === place ? 0 : -1;
  return button;
}
function drawTokens() {
  const strip = part('tokens'), tokens = path(shown);
  const same = drawn.key === props.value.key && drawn.shown === shown && drawn.language === language();
  if (!same || drawn.count > tokens.length) strip.replaceChildren();
  for (const [at, token] of [...tokens.entries()].slice(strip.querySelectorAll('button').length)) {
    strip.append(tokenButton(token, at));
    if (token.text.includes('\n')) strip.append(make('br'));
  }
  drawn = {key: props.value.key, shown, count: tokens.length, language: language()};
  strip.setAttribute('aria-label', words().tokens);
  for (const button of strip.querySelectorAll('button'))
    button.classList.toggle('forked', leavesAt(shown, +button.dataset.place).length > 0);
}
function drawLegend() {
  const legend = part('legend'), last = SURE.length;
  const range = step => step === 0 ? '< ' + share(SURE[0]) : step === last ? '≥ ' + share(SURE[last - 1])
    : share(SURE[step - 1]) + ' – ' + share(SURE[step]);
  legend.replaceChildren(make('span', '', words().legend));
  for (let step = 0; step <= last; step++) {
    const swatch = make('span', 'lens-swatch', range(step));
    swatch.dataset.sure = step;
    legend.append(swatch);
  }
  legend.append(make('span', 'lens-swatch surprise', words().surprise));
}
function drawEnd() {
  const {reason} = props.value.branches[shown], count = path(shown).length;
  part('ended').textContent = reason === 'stopped' ? fill(words().stopped, {count}) : '';
}
function alternative(other, token) {
  const item = make('li'), said = listed(other.text);
  const taken = other.id === token.id;
  const line = make(taken ? 'span' : 'button', 'lens-other');
  const bar = make('span', 'lens-bar');
  bar.style.width = Math.max(other.probability * 100, 0.5) + '%';
  line.append(make('span', 'lens-text', said), make('span', 'lens-share', share(other.probability)), bar);
  if (taken) {
    item.setAttribute('aria-current', 'true');
    line.append(make('span', 'lens-note', words().said));
  } else {
    line.type = 'button';
    line.dataset.token = other.id;
    if (isControl(other)) line.append(make('span', 'lens-note', words().ends));
    if (isControl(other) || busy()) line.setAttribute('aria-disabled', 'true');
    line.setAttribute('aria-label', fill(words().go_on, {text: spoken(other.text), probability: share(other.probability)}));
  }
  item.append(line);
  return item;
}
function drawPlace() {
  const panel = part('place'), token = path(shown)[place], focused = panel.contains(document.activeElement) ? document.activeElement.dataset.token : null;
  panel.replaceChildren();
  if (!token) return;
  const fields = {place: place + 1, text: spoken(token.text), probability: share(token.probability), rank: token.rank};
  const list = make('ol', 'lens-others');
  const told = token.others.some(other => other.id === token.id);
  list.append(...[...token.others, ...(told ? [] : [token])].map(other => alternative(other, token)));
  panel.append(make('p', 'lens-at', fill(words().at, fields)), make('p', 'hint', words().choose), list);
  if (focused) panel.querySelector('[data-token="' + Number(focused) + '"]')?.focus();
  element.querySelectorAll('.lens-token').forEach(button => {
    const here = +button.dataset.place === place;
    button.tabIndex = here ? 0 : -1;
    here ? button.setAttribute('aria-current', 'true') : button.removeAttribute('aria-current');
  });
}
function branchItem(number) {
  const branch = props.value.branches[number], item = make('li'), button = make('button', 'lens-branch');
  button.type = 'button';
  button.dataset.branch = number;
  if (number === shown) button.setAttribute('aria-current', 'true');
  const fields = {place: branch.place + 1, text: spoken(own(number)[0]?.text ?? '')};
  button.append(make('span', 'lens-fork', number ? fill(words().fork, fields) : words().answer));
  button.append(make('span', 'lens-words', (number ? '… ' : '') + (branch.text ?? '').trim().replace(/\ufffd+/g, '◌') + (branch.reason ? '' : ' …')));
  item.append(button);
  const children = props.value.branches.flatMap((b, n) => (b.parent === number ? [n] : []));
  if (children.length) {
    const list = make('ul');
    list.append(...children.map(branchItem));
    item.append(list);
  }
  return item;
}
function drawTree() {
  const tree = part('tree'), focused = tree.contains(document.activeElement) ? document.activeElement.dataset.branch : null;
  tree.replaceChildren();
  if (props.value.branches.length < 2) return;
  const list = make('ul');
  list.append(branchItem(0));
  tree.append(make('p', 'lens-at', fill(words().tree, LIMITS)), list);
  if (focused) tree.querySelector('[data-branch="' + Number(focused) + '"]')?.focus();
}
function drawSaid() {
  const said = part('said');
  if (said.textContent === props.value.said) return;
  said.replaceChildren(...(props.value.said ? [make('p', 'notice error', props.value.said)] : []));
}
function keepHalted() {
  // What was on its way when the visitor stopped a branch must not set it going again.
  const {key, branches} = props.value, last = branches.at(-1);
  if (halted?.key !== key || halted.count !== branches.length || last.reason) return;
  props.value = {...props.value, branches: [...branches.slice(0, -1), {...last, reason: 'stopped'}]};
}
function draw() {
  // A branch that still grows must not bring back the answer before the one that is shown.
  if (props.value.key < newest.key) { props.value = newest; return; }
  keepHalted();
  const before = newest, any = props.value.branches.length > 0;
  newest = props.value;
  if (newest.key !== before.key) [shown, place, follow] = [0, 0, false];
  if (newest.branches.length > before.branches.length && before.key === newest.key) {
    shown = newest.branches.length - 1;
    place = newest.branches[shown].place;
  }
  shown = Math.min(shown, Math.max(newest.branches.length - 1, 0));
  const lens = element.querySelector('.lens');
  lens.dataset.busy = any && busy();
  lens.dataset.any = any;
  part('empty').textContent = words().empty;
  drawSaid();
  if (!any) { part('tokens').replaceChildren(); drawn = {}; return; }
  part('question').textContent = fill(words().question, {text: newest.question});
  drawLegend(); drawTokens(); drawEnd(); drawPlace(); drawTree();
  if (follow && own(shown).length) { follow = false; look(place, true); }
}
function look(at, focus) {
  const last = path(shown).length - 1;
  place = Math.max(0, Math.min(at, last));
  drawPlace();
  if (focus) part('tokens').querySelector('[data-place="' + place + '"]')?.focus();
}
function choose(button) {
  if (button.getAttribute('aria-disabled')) return;
  const token = +button.dataset.token, held = leavesAt(shown, place).find(n => own(n)[0]?.id === token);
  if (held !== undefined) { show(held); look(place, true); return; }
  const from = owner(shown, place), own_token = path(from)[place];
  if (own_token?.id === token && from !== shown) { show(from); look(place, true); return; }
  [follow, halted] = [true, null];
  trigger('fork', {branch: shown, place, token});
}
function show(number) {
  shown = number;
  place = props.value.branches[number].parent < 0 ? place : props.value.branches[number].place;
  drawTokens(); drawEnd(); drawPlace(); drawTree();
}
element.addEventListener('click', event => {
  const token = event.target.closest('.lens-token'), other = event.target.closest('button.lens-other'), branch = event.target.closest('.lens-branch');
  if (token) look(+token.dataset.place, true);
  if (other) choose(other);
  if (branch) { show(+branch.dataset.branch); look(place, false); }
});
element.addEventListener('focusin', event => {
  const token = event.target.closest('.lens-token');
  if (token && +token.dataset.place !== place) look(+token.dataset.place, false);
});
const onTokens = {
  ArrowRight: () => look(place + 1, true), ArrowLeft: () => look(place - 1, true),
  Home: () => look(0, true), End: () => look(Infinity, true),
  ArrowDown: () => part('place').querySelector('button')?.focus(),
};
function amongOthers(event) {
  const buttons = [...part('place').querySelectorAll('button')], at = buttons.indexOf(event.target);
  const steps = {ArrowDown: 1, ArrowUp: -1};
  if (event.key === 'Escape' || (event.key === 'ArrowUp' && at === 0)) look(place, true);
  else if (event.key in steps) buttons[at + steps[event.key]]?.focus();
  else return;
  event.preventDefault();
}
element.addEventListener('keydown', event => {
  if (event.target.closest('.lens-token') && onTokens[event.key]) { event.preventDefault(); onTokens[event.key](); }
  else if (event.target.closest('.lens-others')) amongOthers(event);
});
(element.closest('.fold') ?? element).addEventListener('click', event => {
  if (!event.target.closest('.lens-stop')) return;
  halted = {key: newest.key, count: newest.branches.length};
  draw();
});
watch('value', draw);
new MutationObserver(draw).observe(document.documentElement, {attributeFilter: ['lang']});
draw();
