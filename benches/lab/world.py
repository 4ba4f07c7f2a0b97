#!/usr/bin/env python3
"""Makes a world of so many routers from a seed. Usage: benches/lab/world.py ROUTERS > WORLD.toml

A tenth of the routers are sites, a fifth carriers', two fifths regional networks' of five cities each, and the rest
access networks'. Every regional network buys from two carriers, every access network from a regional one; carriers peer.
"""

import random
import sys

# Where the generated cities lie does not matter: they need distance from each other.
SEED, CARRIERS, REGIONAL_CITIES, MOST_CLIENTS = 4786, 5, 5, 50


def words(items):
    return ", ".join(f'"{item}"' for item in items)


def make(routers):
    dice = random.Random(SEED)
    sites, of_carriers, of_regions = routers // 10, routers // 5, routers * 2 // 5
    places = [f"c{number:03}" for number in range(routers // 4)]
    # A router of so many that share a processor may be kept waiting for seconds: nobody shall take it for dead.
    print('[world]\nname = "generated"\nprobe = "100ms"\nhold_time = "90s"')
    for place in places:
        print(f'[[city]]\nname = "{place}"\nlat = {dice.uniform(-50, 60):.2f}\nlon = {dice.uniform(-170, 170):.2f}')
    transit, peering, number = [], [], iter(range(64600, 65500))

    def network(name, cities):
        links = [f"{a}-{b}" for a, b in zip(cities, cities[1:])]
        links += [f"{cities[0]}-{cities[-1]}"] if len(cities) > 2 else []
        print(f'[[as]]\nasn = {next(number)}\nname = "{name}"\ncities = [{words(cities)}]\nlinks = [{words(links)}]')
        return name, cities

    def meet(one, other):
        """A city of each: the same one if there is one."""
        common = [city for city in one[1] if city in other[1]]
        return (dice.choice(common),) * 2 if common else (dice.choice(one[1]), dice.choice(other[1]))

    def buys(customer, provider):
        here, there = meet(customer, provider)
        transit.append(f"{customer[0]} > {provider[0]} @ {here}={there}")

    carriers = [network(f"Carrier{i}", dice.sample(places, of_carriers // CARRIERS)) for i in range(CARRIERS)]
    for i, one in enumerate(carriers):
        for other in carriers[i + 1:]:
            here, there = meet(one, other)
            peering.append(f"{one[0]} = {other[0]} @ {here}={there}")
    regions = [network(f"Region{i}", dice.sample(places, REGIONAL_CITIES)) for i in range(of_regions // REGIONAL_CITIES)]
    for region in regions:
        for carrier in dice.sample(carriers, 2):
            buys(region, carrier)
    clients = {}
    for i in range(routers - sites - len(carriers) * len(carriers[0][1]) - len(regions) * REGIONAL_CITIES):
        region = dice.choice(regions)
        city = dice.choice(region[1])
        access = network(f"Access{i}", [city])
        buys(access, region)
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
