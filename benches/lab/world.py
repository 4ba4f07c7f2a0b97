#!/usr/bin/env python3
"""Makes a world of so many routers from a seed. Usage: benches/lab/world.py ROUTERS > WORLD.toml

A tenth of the routers are sites, a fifth carriers', two fifths regional networks' of five cities each, and the rest
access networks'. Every regional network buys from two carriers, every access network from a regional one; carriers peer.
Each network is a ring from west to east, and two meet where they are nearest: a question that crossed the world a dozen
times would be answered later than a client waits.
"""

import random
import sys

SEED, CARRIERS, REGIONAL_CITIES, MOST_CLIENTS = 4786, 5, 5, 50


def words(items):
    return ", ".join(f'"{item}"' for item in items)


def make(routers):
    dice = random.Random(SEED)
    sites, of_carriers, of_regions = routers // 10, routers // 5, routers * 2 // 5
    places = [f"c{number:03}" for number in range(routers // 4)]
    # Of so many that share a processor one may be kept waiting for seconds: nobody shall take it for dead.
    print('[world]\nname = "generated"\nprobe = "1s"\nhold_time = "90s"')
    at = dict(zip(places, sorted(dice.uniform(-170, 170) for _ in places)))
    for place, longitude in at.items():
        print(f'[[city]]\nname = "{place}"\nlat = {dice.uniform(-50, 60):.2f}\nlon = {longitude:.2f}')
    transit, peering, number = [], [], iter(range(64600, 65500))

    def network(name, cities):
        links = [f"{a}-{b}" for a, b in zip(cities, cities[1:])]
        links += [f"{cities[0]}-{cities[-1]}"] if len(cities) > 2 else []
        print(f'[[as]]\nasn = {next(number)}\nname = "{name}"\ncities = [{words(cities)}]\nlinks = [{words(links)}]')
        return name, cities

    def meet(one, other):
        """A city of each: the two that are nearest from west to east."""
        return min(((a, b) for a in one[1] for b in other[1]), key=lambda pair: abs(at[pair[0]] - at[pair[1]]))

    def ring(cities):
        """So many cities from all over the world, from west to east."""
        return sorted(dice.sample(places, cities))

    def region():
        """Neighbouring cities."""
        first = dice.randrange(len(places) - REGIONAL_CITIES + 1)
        return places[first:first + REGIONAL_CITIES]

    def buys(customer, provider):
        here, there = meet(customer, provider)
        transit.append(f"{customer[0]} > {provider[0]} @ {here}={there}")

    carriers = [network(f"Carrier{i}", ring(of_carriers // CARRIERS)) for i in range(CARRIERS)]
    for i, one in enumerate(carriers):
        for other in carriers[i + 1:]:
            here, there = meet(one, other)
            peering.append(f"{one[0]} = {other[0]} @ {here}={there}")
    regions = [network(f"Region{i}", region()) for i in range(of_regions // REGIONAL_CITIES)]
    for customer in regions:
        for carrier in dice.sample(carriers, 2):
            buys(customer, carrier)
    clients = {}
    for i in range(routers - sites - len(carriers) * len(carriers[0][1]) - len(regions) * REGIONAL_CITIES):
        provider = dice.choice(regions)
        city = dice.choice(provider[1])
        access = network(f"Access{i}", [city])
        buys(access, provider)
        if len(clients) < MOST_CLIENTS:
            clients.setdefault(city, access[0])
    homes = dice.sample(places, sites)
    print(f'[[as]]\nasn = 64500\nname = "Anycast"\nsites = [{words(homes)}]\nhost_asn = 64501')
    for home in homes:
        buys(("Anycast", [home]), dice.choice(regions + carriers))
    print(f"[relations]\ntransit = [{words(transit)}]\npeering = [{words(peering)}]\n[clients]")
    for city, access in clients.items():
        print(f'{city} = "{access}"')


make(int(sys.argv[1]))
