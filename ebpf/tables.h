/* What user space and the programs share: the tables, and the structures in them.
 *
 * The daemon writes `settings`, `services`, `sites`, `peers`, `filters` and `fenced`; the programs write the others. All
 * but `held` and `fences` are pinned, so that flows go where they went while no daemon runs. Integers that a packet carries are in network
 * order, all others in that of the machine. crates/xdp/src/layout.rs is the other half of this file. */
#pragma once

#include "siphash.h"
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SITES 64 /* site numbers have six bits */
#define NO_SITE 255
#define KEYS 4 /* identifiers of keys have two bits */

/* An IPv6 address, or an IPv4 address mapped into one (RFC 4291 section 2.5.5.2). */
struct address {
	__be32 word[4];
};

/* A connection as its client's packets name it. */
struct flow {
	struct address client;
	struct address service;
	__be16 client_port;
	__be16 service_port;
};

/* What becomes of a packet: each has one verdict, and each verdict is counted. What follows COUNTED_TOO is counted
 * beside the verdict. crates/continuity/src/verdict.rs says what each means. */
enum count {
	FOREIGN,
	OPAQUE,
	CONNECTIONLESS,
	OPENING,
	OWNED,
	ORPHANED,
	LEARNED,
	CLAIMED,
	GUESSED,
	RELAYED,
	OVER_BUDGET,
	UNCLAIMED,
	OVERSIZED,
	REFUSED,
	HELD,
	COUNTED_TOO,
	ARRIVED = COUNTED_TOO,
	MISSED,
	UNSENT,
	COUNTS
};

/* What others are spared by a limit. */
enum budget { CLAIMS, GUESSES, RESETS, BUDGETS };

struct pace {
	__u64 interval; /* nanoseconds that one packet costs */
	__u64 depth;	/* nanoseconds that may be spent at once */
};

struct settings {
	struct key key[KEYS]; /* of the tags */
	struct key filter_key;
	struct pace pace[BUDGETS];
	struct address source4; /* where the other sites' packets arrive */
	struct address source6;
	__u32 pages;   /* of `filters`, for each site */
	__be16 port;   /* of UDP, at every site */
	__u16 longest; /* octets of a packet that fits into the tunnel */
	__u8 active;   /* 0: everything passes */
	__u8 number;   /* of this site */
	__u8 sending;  /* the key that tags are made with */
	__u8 known;    /* keys that tags are checked with, a bit for each */
	__u8 relay;    /* the site that answers for this one while it is held, or NO_SITE */
	__u8 sites;    /* one more than the highest number */
	__u8 unused[2];
};

enum state { ABSENT, ALIVE, DEAD };

struct site {
	struct address address;
	__u32 blocks; /* of its flow filter; 0: it has none */
	__u8 family;  /* of the address: 4 or 6 */
	__u8 state;
	__u8 unused[2];
};

/* Where the packets of a flow go to, or come from, and since when (nanoseconds since the machine started). */
struct passage {
	__u64 since;
	__u64 seen;
	__u64 packets;
	__u8 site;
	__u8 is_confirmed; /* where packets go: the site's filter has had the flow */
	__u8 unused[6];
};

/* A packet that a fence has held, without its link's header. */
#define MOST_HELD 2048 /* octets of a packet that can be held */

struct held {
	struct flow flow;
	__u32 length;
	__u8 packet[MOST_HELD];
};

#define PAGE_BLOCKS 128

/* A part of a flow filter. */
struct page {
	__u32 block[PAGE_BLOCKS][8];
};

_Static_assert(sizeof(struct flow) == 36, "as in Rust");
_Static_assert(sizeof(struct settings) == 176, "as in Rust");
_Static_assert(sizeof(struct site) == 24, "as in Rust");
_Static_assert(sizeof(struct passage) == 32, "as in Rust");
_Static_assert(sizeof(struct held) == 40 + MOST_HELD, "as in Rust");
_Static_assert(sizeof(struct page) == 4096, "as in Rust");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct address);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SITES);
	__type(key, __u32);
	__type(value, struct site);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sites SEC(".maps");

/* Who may send through the tunnel: its address, its number. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SITES);
	__type(key, struct address);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} peers SEC(".maps");

/* The flow filters: so many pages for site 0, as many for site 1, and so on. The loader sets the size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SITES);
	__type(key, __u32);
	__type(value, struct page);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} filters SEC(".maps");

/* Flows that another site has claimed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 262144);
	__type(key, struct flow);
	__type(value, struct passage);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} learned SEC(".maps");

/* Flows of this site whose packets another site forwards. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 262144);
	__type(key, struct flow);
	__type(value, struct passage);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} received SEC(".maps");

/* Flows whose packets are held, and until when (nanoseconds since the machine started): whatever becomes of the daemon, a
 * fence ends. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct flow);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} fenced SEC(".maps");

/* So many fences may be up: while none is, no packet looks for its own. The daemon writes it. */
volatile __u32 fences;

/* The packets that fences have held, for the daemon that has put up the fences: the next one knows nothing of them. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2097152);
} held SEC(".maps");

/* The last owner that the clients of a prefix had, by the prefix's first address. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct address);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} owners SEC(".maps");

/* Until when each budget is spent, nanoseconds since the machine started. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUDGETS);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} spent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTS);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} counts SEC(".maps");

static __always_inline void count(__u32 what)
{
	__u64 *value = bpf_map_lookup_elem(&counts, &what);
	if (value)
		*value += 1;
}

static __always_inline const struct settings *read_settings(void)
{
	__u32 only = 0;
	return bpf_map_lookup_elem(&settings, &only);
}
