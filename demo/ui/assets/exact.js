/* Says which token of the exact prompt is pointed at, with the mouse, a finger or the arrow keys. */
const beside = token => [...token.closest('.exact').querySelectorAll('[data-id]')];
const tell = token => {
    const told = element.querySelector('.token-told');
    if (!token || !told) return;
    element.querySelectorAll('.exact .now').forEach(other => other.classList.remove('now'));
    token.classList.add('now');
    const shown = token.textContent.replace(/\n/g, '↵').replace(/ /g, '␣');
    const fields = { id: token.dataset.id, place: token.dataset.place, shown, count: beside(token).length };
    const line = told.dataset.sentence.replace(/\{(\w+)\}/g, (_, name) => fields[name]);
    if (told.textContent !== line) told.textContent = line;
};
element.addEventListener('pointerover', event => tell(event.target.closest('[data-id]')));
element.addEventListener('pointerdown', event => tell(event.target.closest('[data-id]')));
element.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const text = event.target.closest('.exact');
    if (!step || !text) return;
    event.preventDefault();
    const all = [...text.querySelectorAll('[data-id]')], at = all.findIndex(token => token.classList.contains('now'));
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
    tell(next);
    next?.scrollIntoView({ block: 'nearest' });
});
