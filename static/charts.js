// Charts one can point at: each figure holds its options and shows a drawing of them; this puts a live
// one over it. Loaded only by pages with charts; without it the drawing and its table stay.
"use strict";
const library = document.currentScript.dataset.library;
const figures = document.querySelectorAll("figure[data-chart]");
const root = document.documentElement;
const paint = () => {
  const style = getComputedStyle(root), scale = parseFloat(style.fontSize) / 17;
  return (key, value) => {
    if (/color$/i.test(key) && /^var\(--[a-z0-9-]+\)$/.test(value)) return style.getPropertyValue(value.slice(4, -1)).trim();
    return key === "fontSize" ? value * scale : value;
  };
};

const live = new Map();
const draw = (echarts, figure) => {
  const plate = figure.querySelector(".chart-live"), scale = parseFloat(getComputedStyle(root).fontSize) / 17;
  live.get(figure)?.dispose();
  figure.classList.add("live");
  const options = JSON.parse(figure.dataset.chart, paint());
  // Names of many series need several rows where the page is narrow.
  const names = (options.legend?.data || []).reduce((width, name) => width + (name.length + 2.2) * options.legend.textStyle.fontSize, 0);
  const rows = Math.max(0, Math.ceil(names / plate.parentElement.clientWidth) - 1) * 24 * scale;
  if (rows) options.grid.top += rows;
  plate.style.height = `${Number(figure.dataset.height) * scale + rows}px`;
  const chart = echarts.init(plate, null, { renderer: "canvas" });
  chart.setOption({ ...options, textStyle: { ...options.textStyle, fontFamily: getComputedStyle(plate).fontFamily } });
  // One list of addresses for all series, or one a series.
  const links = JSON.parse(figure.dataset.links || "[]");
  chart.on("click", (point) => {
    const address = (links[links.length > 1 ? point.seriesIndex : 0] || [])[point.dataIndex];
    if (address) location.assign(address);
  });
  live.set(figure, chart);
};

const begin = async (figure) => {
  const echarts = await import(library);
  draw(echarts, figure);
  if (live.size > 1) return;
  const again = () => [...live.keys()].forEach((each) => draw(echarts, each));
  new ResizeObserver(() => live.forEach((chart) => chart.resize())).observe(document.querySelector("main"));
  new MutationObserver(again).observe(root, { attributeFilter: ["class"] });
  new MutationObserver(again).observe(document.querySelector("link[data-dark]"), { attributeFilter: ["media"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
};

// Only what comes into view is worth loading the library for, and not where data is to be saved.
if (figures.length && !navigator.connection?.saveData) {
  const watch = new IntersectionObserver((seen) => seen.filter((each) => each.isIntersecting).forEach(({ target }) => {
    watch.unobserve(target);
    begin(target).catch(() => target.classList.remove("live"));
  }), { rootMargin: "200px" });
  figures.forEach((figure) => watch.observe(figure));
}
