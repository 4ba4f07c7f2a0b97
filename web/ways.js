// The ways that answers take, as what is drawn: hops between places. Clients that share a hop and a site share a line;
// sites that share a hop lie beside each other.

const key = ([lon, lat]) => `${lon.toFixed(2)},${lat.toFixed(2)}`;

/** Where every node of a picture lies, as [lon, lat]. */
export function positions(picture) {
  const nodes = [...(picture.clients ?? []), ...(picture.routers ?? []), ...(picture.sites ?? [])];
  return new Map(nodes.filter((node) => node.at).map((node) => [node.name, [node.at.lon, node.at.lat]]));
}

/**
 * A site and a client may have one name, so the ends of a path are looked up by their kind; what lies between is a
 * router.
 */
function places(client, picture, at) {
  const site = picture.sites.find(({ name }) => name === client.site);
  const end = site?.at && [site.at.lon, site.at.lat];
  const start = [client.at.lon, client.at.lat];
  const between = client.path.slice(1, -1).map((node) => at.get(node));
  const all = [start, ...between, end].filter(Boolean);
  return all.filter((place, index) => index === 0 || key(place) !== key(all[index - 1]));
}

/** Hops as `{ from, to, lines: [{ site, clients, known }] }`, `site` being the place in the palette. */
export function ways(picture, at) {
  const hops = new Map();
  for (const client of picture.clients ?? []) {
    const site = picture.sites.find(({ name }) => name === client.site);
    if (!site) continue;
    const way = places(client, picture, at);
    for (let step = 1; step < way.length; step += 1) {
      const [from, to] = [way[step - 1], way[step]].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      const hop = hops.get(key(from) + key(to)) ?? { from, to, lines: new Map() };
      hops.set(key(from) + key(to), hop);
      const line = hop.lines.get(site.colour) ?? { site: site.colour, clients: [], known: client.path.length > 0 };
      hop.lines.set(site.colour, line);
      line.clients.push(client.name);
    }
  }
  const sorted = (lines) => [...lines.values()].sort((a, b) => a.site - b.site);
  return [...hops.values()].map((hop) => ({ ...hop, lines: sorted(hop.lines) }));
}

/** Cables as `{ from, to, state, names }`: those that join the same places are one line, broken ones apart. */
export function cables(picture, at) {
  const lines = new Map();
  for (const cable of picture.cables ?? []) {
    const ends = cable.ends.map((end) => at.get(end));
    if (!ends[0] || !ends[1]) continue;
    const [from, to] = ends.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const id = `${key(from)} ${key(to)} ${cable.state}`;
    const line = lines.get(id) ?? { from, to, state: cable.state, names: [] };
    lines.set(id, line);
    line.names.push(cable.name);
  }
  return [...lines.values()];
}

/** Whether two places are drawn as one. */
export const same = (a, b) => key(a) === key(b);
