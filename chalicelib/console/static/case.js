// The map of a case: its pin and similar problems near it. Only loaded where the town chose a source of tiles.
(() => {
  'use strict';
  const box = document.getElementById('map');
  if (!box || !window.L) return;
  const L = window.L;
  const quiet = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const text = (plain) => { const one = document.createElement('span'); one.textContent = plain; return one.innerHTML; };
  const here = [Number(box.dataset.latitude), Number(box.dataset.longitude)];
  const map = L.map(box, { center: here, zoom: 17, zoomControl: false, scrollWheelZoom: false, zoomAnimation: !quiet, fadeAnimation: !quiet, markerZoomAnimation: !quiet, inertia: !quiet });
  L.control.zoom({ zoomInTitle: box.dataset.in, zoomOutTitle: box.dataset.out }).addTo(map);
  map.attributionControl.setPrefix(false);
  L.tileLayer(box.dataset.tiles, { attribution: text(box.dataset.attribution), maxZoom: 19 }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const dot = (at, name, radius) => L.circleMarker(at, { radius, className: name, interactive: false }).addTo(map);
  for (const pair of box.dataset.near.trim().split(/\s+/)) if (pair) dot(pair.split(',').map(Number), 'dot', 7);
  dot(here, 'pin', 11);
})();
