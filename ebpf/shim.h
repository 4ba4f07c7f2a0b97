/* The eight octets between the outer UDP header and the packet that is forwarded. crates/continuity/src/shim.rs draws
 * them. Here the first four are one word in the machine's order. */
#pragma once

#include "tables.h"

#define MAGIC 0xca
#define MORE 2 /* sites beside the first one that a packet may have visited */

struct shim {
	__be32 head;
	__be32 tag;
};

/* The word that the first site writes. */
static __always_inline __u32 first_head(__u8 key, __u8 number)
{
	return MAGIC << 24 | (key & 3) << 22 | (number & 63) << 16;
}

static __always_inline __u8 head_key(__u32 head)
{
	return head >> 22 & 3;
}

static __always_inline __u8 head_origin(__u32 head)
{
	return head >> 16 & 63;
}

/* How many sites beside the first. */
static __always_inline __u8 head_more(__u32 head)
{
	return head >> 14 & 3;
}

static __always_inline __u8 head_second(__u32 head)
{
	return head >> 8 & 63;
}

static __always_inline __u8 head_third(__u32 head)
{
	return head >> 2 & 63;
}

/* The word after a visit to one more site, which has room for it. */
static __always_inline __u32 next_head(__u32 head, __u8 key, __u8 number)
{
	__u32 more = head_more(head);
	__u32 kept = head & ~(3u << 22 | 3u << 14);

	return kept | (key & 3) << 22 | (more + 1) << 14 | (number & 63) << (more == 0 ? 8 : 2);
}

/* The sites that were visited, a bit for each; 0 for a word that no site writes. */
static __always_inline __u64 head_visited(__u32 head)
{
	__u32 more = head_more(head), second = head_second(head), third = head_third(head);
	__u64 visited = 1ULL << head_origin(head);

	if (head >> 24 != MAGIC || head & 3 || more > MORE || (more < 1 && second) || (more < 2 && third))
		return 0;
	if (more >= 1) {
		if (visited & 1ULL << second)
			return 0;
		visited |= 1ULL << second;
	}
	if (more >= 2) {
		if (visited & 1ULL << third)
			return 0;
		visited |= 1ULL << third;
	}
	return visited;
}

static __always_inline __u8 head_last(__u32 head)
{
	switch (head_more(head)) {
	case 0:
		return head_origin(head);
	case 1:
		return head_second(head);
	default:
		return head_third(head);
	}
}

/* The tag binds the word to the flow of the packet behind it. The keys are copied one by one: a place in a structure that
 * is computed, the kernel allows only to processes that may do more than load programs. */
GLOBAL __be32 make_tag(const struct settings *set, __u32 head, const struct flow *flow)
{
	struct message message;
	struct key key = {};

	if (!set || !flow)
		return 0;
#pragma unroll
	for (int id = 0; id < KEYS; id++)
		if (head_key(head) == id)
			key = set->key[id];
	message.word[0] = bpf_htonl(head);
	__builtin_memcpy(&message.word[1], flow, sizeof(*flow));
	return bpf_htonl((__u32)siphash(&key, &message, MOST_WORDS));
}
