// What every script that draws a fold says and makes with: WORDS, by language, are put before it.
const language = () => document.documentElement.lang in WORDS ? document.documentElement.lang : 'en';
const words = () => WORDS[language()];
const make = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};
const fill = (sentence, fields) => sentence.replace(/\{(\w+)\}/g, (whole, name) => fields[name] ?? whole);
