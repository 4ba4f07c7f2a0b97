/* SipHash-2-4 (Aumasson and Bernstein 2012) over words of four octets as they lie in memory. */
#pragma once

#include "global.h"
#include <linux/types.h>

static __always_inline __u64 rotate(__u64 value, int bits)
{
	return value << bits | value >> (64 - bits);
}

struct sip {
	__u64 v0, v1, v2, v3;
};

static __always_inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static __always_inline void sip_block(struct sip *s, __u64 block)
{
	s->v3 ^= block;
	sip_round(s);
	sip_round(s);
	s->v0 ^= block;
}

struct key {
	__u64 half[2];
};

#define MOST_WORDS 10

struct message {
	__u32 word[MOST_WORDS];
};

/* Of the first words of the message. */
GLOBAL __u64 siphash(const struct key *key, const struct message *message, __u32 length)
{
	if (!key || !message || length > MOST_WORDS)
		return 0;

	struct sip s = {
		key->half[0] ^ 0x736f6d6570736575ULL,
		key->half[1] ^ 0x646f72616e646f6dULL,
		key->half[0] ^ 0x6c7967656e657261ULL,
		key->half[1] ^ 0x7465646279746573ULL,
	};
	__u64 last = (__u64)(length * 4) << 56;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < MOST_WORDS; i += 2) {
		if (i + 1 < length) {
			sip_block(&s, message->word[i] | (__u64)message->word[i + 1] << 32);
		} else {
			if (i < length)
				last |= message->word[i];
			break;
		}
	}
	sip_block(&s, last);
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
