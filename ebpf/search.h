/* Who owns a flow, if this site does not. crates/continuity/src/search.rs is the same in Rust, and the tests hold the two
 * against each other. */
#pragma once

#include "packet.h"
#include "tables.h"

#define LISTENS 10 /* TCP_LISTEN of the kernel's enum of states */
#define ATTEMPTS 4 /* to spend from a budget that other processors spend from, too */
#define LOOK 28 /* the filters are asked about a learned flow once in 2 to this power nanoseconds */

/* What the search knows beforehand. */
struct visit {
	__u64 visited;	/* sites that had the packet, this one among them */
	__u32 head;	/* of the shim that it came with; 0: it came from its client */
	__u8 has_room;	/* it may visit one more */
};

/* A verdict and the site that it names, in one number: a function of the kernel's machine returns no structure. */
typedef __u32 ruling;

static __always_inline ruling rule(__u32 verdict, __u32 to)
{
	return verdict | to << 8;
}

static __always_inline __u32 verdict_of(ruling ruling)
{
	return ruling & 0xff;
}

static __always_inline __u32 site_of(ruling ruling)
{
	return ruling >> 8 & 0xff;
}

/* A leaky bucket as a time (ITU-T I.371, the generic cell rate algorithm): when all that was spent is earned again. */
static __always_inline int spend(const struct settings *set, __u32 budget)
{
	const struct pace *pace = &set->pace[budget];
	__u64 *until = bpf_map_lookup_elem(&spent, &budget);
	__u64 now = bpf_ktime_get_ns();

	if (!until)
		return 0;
	for (int i = 0; i < ATTEMPTS; i++) {
		__u64 before = *(volatile __u64 *)until;
		__u64 at = (before > now ? before : now) + pace->interval;
		if (at - now > pace->depth)
			return 0;
		if (__sync_val_compare_and_swap(until, before, at) == before)
			return 1;
	}
	return 0;
}

/* Whether the ACK is the third packet of a handshake that this host answered with a cookie (RFC 4987 section 3.6). */
static __always_inline int answers_cookie(struct xdp_md *ctx, struct bpf_sock *socket, const struct packet *p)
{
	struct tcphdr tcp;

	if (!READ(&tcp, p->transport))
		return 0;
	if (p->family == 4) {
		struct iphdr ip;
		return READ(&ip, p->start) && bpf_tcp_check_syncookie(socket, &ip, sizeof(ip), &tcp, sizeof(tcp)) == 0;
	}
	struct ipv6hdr ip;
	return READ(&ip, p->start) && bpf_tcp_check_syncookie(socket, &ip, sizeof(ip), &tcp, sizeof(tcp)) == 0;
}

/* Whether a socket of this host has the flow. One that listens is nobody's yet. */
static __always_inline int is_ours(struct xdp_md *ctx, const struct packet *p, enum kind kind)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *socket;
	int ours;

	if (p->family == 4) {
		tuple.ipv4.saddr = p->flow.client.word[3];
		tuple.ipv4.daddr = p->flow.service.word[3];
		tuple.ipv4.sport = p->flow.client_port;
		tuple.ipv4.dport = p->flow.service_port;
		socket = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, &p->flow.client, sizeof(struct address));
		__builtin_memcpy(tuple.ipv6.daddr, &p->flow.service, sizeof(struct address));
		tuple.ipv6.sport = p->flow.client_port;
		tuple.ipv6.dport = p->flow.service_port;
		socket = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	if (!socket)
		return 0;
	ours = socket->state != LISTENS || (kind == SEGMENT && answers_cookie(ctx, socket, p));
	bpf_sk_release(socket);
	return ours;
}

static __always_inline const struct site *find_site(__u32 number)
{
	return bpf_map_lookup_elem(&sites, &number);
}

static __always_inline int is_open(const struct visit *visit, __u32 number)
{
	const struct site *site = find_site(number);
	return site && site->state == ALIVE && visit->has_room && !(visit->visited >> (number & 63) & 1);
}

/* Whether the site's filter has the flow: a split block Bloom filter, as Apache Parquet defines it. */
static __always_inline __u64 claims(const struct site *site, __u32 number, __u32 pages, __u64 hash)
{
	static const __u32 salt[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
				      0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};
	__u32 block = (hash >> 32) * site->blocks >> 32;
	__u32 place = number * pages + block / PAGE_BLOCKS;
	const struct page *page = bpf_map_lookup_elem(&filters, &place);
	const __u32 *words;
	__u32 missing = 0;

	if (!page)
		return 0;
	words = page->block[block % PAGE_BLOCKS];
#pragma unroll
	for (int i = 0; i < 8; i++)
		missing |= ~words[i] & 1u << ((__u32)hash * salt[i] >> 27);
	return !missing;
}

/* What every site's filter is asked, and the sites that claim the flow, a bit for each. */
struct inquiry {
	__u64 hash;
	__u64 visited;
	__u64 alive;
	__u64 dead;
	__u32 pages;
};

/* Asks one site. */
static long ask(__u32 number, struct inquiry *inquiry)
{
	const struct site *site = find_site(number);
	__u64 claim;

	if (!site || !site->blocks || inquiry->visited >> (number & 63) & 1)
		return 0;
	claim = claims(site, number, inquiry->pages, inquiry->hash) << (number & 63);
	if (site->state == ALIVE)
		inquiry->alive |= claim;
	else if (site->state == DEAD)
		inquiry->dead |= claim;
	return 0;
}

/* The number of the lowest bit. */
static __always_inline __u32 lowest(__u64 bits)
{
	__u32 number = 0;

#pragma unroll
	for (int half = 32; half > 0; half /= 2) {
		__u64 low = bits & ((1ULL << half) - 1);
		number += low ? 0 : half;
		bits = low ? low : bits >> half;
	}
	return number;
}

/* The first address of the client's prefix: 24 bits of IPv4, 48 of IPv6. */
static __always_inline struct address client_prefix(const struct packet *p)
{
	struct address prefix = p->flow.client;

	if (p->family == 4) {
		prefix.word[3] &= bpf_htonl(0xffffff00);
	} else {
		prefix.word[1] &= bpf_htonl(0xffff0000);
		prefix.word[2] = 0;
		prefix.word[3] = 0;
	}
	return prefix;
}

static __always_inline void learn(const struct flow *flow, __u8 site, __u8 is_confirmed)
{
	__u64 now = bpf_ktime_get_ns();
	struct passage passage = {.since = now, .seen = now, .packets = 1, .site = site, .is_confirmed = is_confirmed};

	bpf_map_update_elem(&learned, flow, &passage, BPF_ANY);
}

static __always_inline ruling spend_for(const struct settings *set, __u32 budget, __u32 verdict, __u32 to)
{
	return spend(set, budget) ? rule(verdict, to) : rule(OVER_BUDGET, NO_SITE);
}

/* Who answers for a flow that nobody claims: the site that relays for this one, or the last owner of the prefix. */
static __always_inline __u32 find_guess(const struct settings *set, const struct packet *p)
{
	struct address prefix = client_prefix(p);
	const __u32 *owner;

	if (set->relay != NO_SITE)
		return set->relay;
	owner = bpf_map_lookup_elem(&owners, &prefix);
	return owner ? *owner : NO_SITE;
}

static __always_inline ruling claim(const struct settings *set, const struct packet *p, __u32 number)
{
	ruling claimed = spend_for(set, CLAIMS, CLAIMED, number);

	if (verdict_of(claimed) == CLAIMED) {
		struct address prefix = client_prefix(p);
		learn(&p->flow, number, 1);
		bpf_map_update_elem(&owners, &prefix, &number, BPF_ANY);
	}
	return claimed;
}

/* What the filters are asked. */
static __always_inline struct inquiry inquire(const struct settings *set, const struct packet *p, const struct visit *visit)
{
	struct inquiry inquiry = {.visited = visit->visited, .pages = set->pages};
	struct message message = {};

	__builtin_memcpy(&message, &p->flow, sizeof(p->flow));
	inquiry.hash = siphash(&set->filter_key, &message, sizeof(p->flow) / sizeof(__u32));
	return inquiry;
}

/* Neither a socket here nor a learned flow. */
static __always_inline ruling search_on(const struct settings *set, const struct packet *p, const struct visit *visit,
					int was_of_dead)
{
	struct inquiry found = inquire(set, p, visit);
	__u32 guess;

	bpf_loop(set->sites, ask, &found, 0);
	if (found.alive && visit->has_room)
		return claim(set, p, lowest(found.alive));
	/* A guess is for the first site only: a wrong one ends where it arrives. */
	if (visit->head)
		return rule(UNCLAIMED, NO_SITE);
	if (found.dead || was_of_dead)
		return spend_for(set, RESETS, ORPHANED, NO_SITE);
	guess = find_guess(set, p);
	if (guess < SITES && is_open(visit, guess))
		return spend_for(set, GUESSES, GUESSED, guess);
	return rule(UNCLAIMED, NO_SITE);
}

/* Who claims what its owner claims no more. One that says nothing of its flows may have it. */
static __always_inline __u32 find_other(const struct settings *set, const struct packet *p, const struct visit *visit,
					struct passage *passage)
{
	const struct site *site = find_site(passage->site);
	struct inquiry found;

	if (!site || !site->blocks)
		return NO_SITE;
	found = inquire(set, p, visit);
	if (claims(site, passage->site, found.pages, found.hash)) {
		passage->is_confirmed = 1;
		return NO_SITE;
	}
	if (!passage->is_confirmed)
		return NO_SITE;
	bpf_loop(set->sites, ask, &found, 0);
	return found.alive ? lowest(found.alive) : NO_SITE;
}

/* The flow was found before, at a site that may have it still. Over budget it goes where it went. */
GLOBAL ruling follow(const struct settings *set, const struct packet *p, const struct visit *visit,
		     struct passage *passage)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 other = NO_SITE;

	if (!set || !p || !visit || !passage)
		return rule(UNCLAIMED, NO_SITE);
	if (now >> LOOK != passage->seen >> LOOK)
		other = find_other(set, p, visit, passage);
	if (other < SITES && verdict_of(claim(set, p, other)) == CLAIMED) {
		count(MISSED);
		return rule(CLAIMED, other);
	}
	passage->seen = now;
	__sync_fetch_and_add(&passage->packets, 1);
	return rule(LEARNED, passage->site);
}

static __always_inline ruling search(const struct settings *set, const struct packet *p, const struct visit *visit)
{
	struct passage *passage = bpf_map_lookup_elem(&learned, &p->flow);
	int was_of_dead = 0;

	if (passage) {
		__u32 number = passage->site;
		const struct site *site = find_site(number);
		if (is_open(visit, number))
			return follow(set, p, visit, passage);
		was_of_dead = site && site->state == DEAD;
	}
	count(MISSED);
	return search_on(set, p, visit, was_of_dead);
}

/* The site that has the connection still that a SYN would open: it answers with an ACK, and goes on (RFC 5961 section 4). A
 * SYN-ACK from here would have the client end a connection that somebody else's SYN was meant to end. */
GLOBAL __u32 find_owner(const struct settings *set, const struct packet *p, const struct visit *visit)
{
	struct passage *passage;
	const struct site *site;
	struct inquiry about;
	__u32 number;

	if (!set || !p || !visit)
		return NO_SITE;
	passage = bpf_map_lookup_elem(&learned, &p->flow);
	if (!passage)
		return NO_SITE;
	number = passage->site;
	site = find_site(number);
	if (!site || !site->blocks || !is_open(visit, number))
		return NO_SITE;
	about = inquire(set, p, visit);
	if (!claims(site, number, about.pages, about.hash))
		return NO_SITE;
	passage->seen = bpf_ktime_get_ns();
	__sync_fetch_and_add(&passage->packets, 1);
	return number;
}

/* Whether the flow is being handed over, so that its packets have to wait. */
static __always_inline int is_fenced(const struct packet *p)
{
	const __u64 *until = fences ? bpf_map_lookup_elem(&fenced, &p->flow) : 0;
	return until && bpf_ktime_get_ns() < *until;
}

/* What becomes of a packet that is for a service. */
GLOBAL ruling judge(struct xdp_md *ctx, const struct settings *set, const struct packet *p, enum kind kind,
		    const struct visit *visit)
{
	__u32 relay, owner;
	int is_relayed, is_long;

	if (!set || !p || !visit)
		return rule(OPAQUE, NO_SITE);
	relay = set->relay;
	is_relayed = relay != NO_SITE && !visit->head && is_open(visit, relay);
	is_long = p->end - p->start > set->longest;
	switch (kind) {
	case DATAGRAM:
		if (!is_relayed)
			return rule(CONNECTIONLESS, NO_SITE);
		return is_long ? rule(OVERSIZED, NO_SITE) : rule(RELAYED, relay);
	case FIRST:
		owner = find_owner(set, p, visit);
		if (owner != NO_SITE)
			return is_long ? rule(OVERSIZED, NO_SITE) : rule(LEARNED, owner);
		/* The client has taken its port for a new connection. */
		bpf_map_delete_elem(&learned, &p->flow);
		if (!is_relayed)
			return rule(OPENING, NO_SITE);
		if (is_long)
			return rule(OVERSIZED, NO_SITE);
		/* The filter that is known may be from before. */
		learn(&p->flow, relay, 0);
		return rule(RELAYED, relay);
	case BROKEN_UP:
		return is_ours(ctx, p, kind) ? rule(OWNED, NO_SITE) : rule(OVERSIZED, NO_SITE);
	case SEGMENT:
	case QUOTED:
		if (is_fenced(p))
			return rule(HELD, NO_SITE);
		if (is_ours(ctx, p, kind))
			return rule(OWNED, NO_SITE);
		return is_long ? rule(OVERSIZED, NO_SITE) : search(set, p, visit);
	default:
		return rule(OPAQUE, NO_SITE);
	}
}
