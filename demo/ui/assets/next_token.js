/* The likeliest tokens once more, small, above the controls that redraw them: both stay in view. */
const MOST = 8;
const copy = () => {
    const strip = element.closest('.tabitem')?.querySelector('.sampling-strip');
    if (!strip) return;
    const rows = [...element.querySelectorAll('table.next-token tbody tr')].slice(0, MOST);
    const table = document.createElement('table');
    table.className = 'next-token small';
    table.setAttribute('aria-hidden', 'true');
    table.append(...rows.map(row => row.cloneNode(true)));
    strip.replaceChildren(...(rows.length ? [table] : []));
};
const soon = () => setTimeout(copy, 60);
watch('value', soon);
element.closest('.tabitem')?.addEventListener('click', event => {
    if (event.target.closest('.label-wrap')) setTimeout(copy, 400);
});
