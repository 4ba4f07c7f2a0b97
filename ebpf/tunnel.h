/* Packets between sites: IP, UDP, the shim, the packet as its client sent it. */
#pragma once

#include "packet.h"
#include "shim.h"
#include "tables.h"

#define HOPS 64 /* that the outer packet may take */
#define MOST_LINK 18 /* octets of an Ethernet header with a tag */

struct outer4 {
	struct iphdr ip;
	struct udphdr udp;
	struct shim shim;
};

struct outer6 {
	struct ipv6hdr ip;
	struct udphdr udp;
	struct shim shim;
};

_Static_assert(sizeof(struct outer4) == 36, "the overhead over IPv4");
_Static_assert(sizeof(struct outer6) == 56, "the overhead over IPv6");

/* The link's header, which stays what it is while the packet behind it changes. */
struct link {
	__u8 octets[MOST_LINK];
};

static __always_inline int read_link(struct xdp_md *ctx, struct link *link, __u32 length)
{
	if (length == 0)
		return 1;
	return length >= ETH_HLEN && length <= MOST_LINK && bpf_xdp_load_bytes(ctx, 0, link->octets, length) == 0;
}

/* Writes it before a packet of the family. */
static __always_inline int write_link(struct xdp_md *ctx, struct link *link, __u32 length, __u8 family)
{
	__u8 high = family == 4 ? ETH_P_IP >> 8 : ETH_P_IPV6 >> 8;
	__u8 low = family == 4 ? ETH_P_IP & 0xff : ETH_P_IPV6 & 0xff;

	if (length == 0)
		return 1;
	if (length == ETH_HLEN) {
		link->octets[ETH_HLEN - 2] = high;
		link->octets[ETH_HLEN - 1] = low;
	} else {
		link->octets[MOST_LINK - 2] = high;
		link->octets[MOST_LINK - 1] = low;
	}
	return length >= ETH_HLEN && length <= MOST_LINK && bpf_xdp_store_bytes(ctx, 0, link->octets, length) == 0;
}

/* Back to the router that has delivered the frame: it knows the way to the other site. */
static __always_inline void turn_round(struct link *link)
{
	__u8 destination[ETH_ALEN];

	__builtin_memcpy(destination, link->octets, ETH_ALEN);
	__builtin_memcpy(link->octets, link->octets + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(link->octets + ETH_ALEN, destination, ETH_ALEN);
}

static __always_inline __u16 header_checksum(const struct iphdr *ip)
{
	const __u16 *words = (const __u16 *)ip;
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The checksum is none: the tag says more, and RFC 6935 section 5 allows it for tunnels over IPv6. The source port has
 * the flow's entropy, so that routers with several paths keep its packets in order (RFC 6335 section 6: dynamic ports). */
static __always_inline struct udphdr make_udp(const struct settings *set, __be32 tag, __u32 length)
{
	return (struct udphdr){
		.source = bpf_htons(0xc000 | (bpf_ntohl(tag) & 0x3fff)),
		.dest = set->port,
		.len = bpf_htons(sizeof(struct udphdr) + sizeof(struct shim) + length),
	};
}

/* The outer header tells the class of service and nothing of congestion (RFC 6040 section 4.1, compatibility mode). */
static __always_inline __u8 outer_class(const struct packet *p)
{
	return p->traffic_class & 0xfc;
}

static __always_inline int write_outer4(struct xdp_md *ctx, const struct settings *set, const struct packet *p,
					 const struct site *to, struct shim shim)
{
	__u32 length = p->end - p->start;
	struct outer4 outer = {
		.ip = {
			.version = 4,
			.ihl = 5,
			.tos = outer_class(p),
			.tot_len = bpf_htons(sizeof(outer) + length),
			.frag_off = bpf_htons(0x4000),
			.ttl = HOPS,
			.protocol = IPPROTO_UDP,
			.saddr = set->source4.word[3],
			.daddr = to->address.word[3],
		},
		.udp = make_udp(set, shim.tag, length),
		.shim = shim,
	};

	outer.ip.check = header_checksum(&outer.ip);
	return bpf_xdp_store_bytes(ctx, p->start, &outer, sizeof(outer)) == 0;
}

static __always_inline int write_outer6(struct xdp_md *ctx, const struct settings *set, const struct packet *p,
					 const struct site *to, struct shim shim)
{
	__u32 length = p->end - p->start;
	struct outer6 outer = {
		.ip = {
			.version = 6,
			.priority = outer_class(p) >> 4,
			/* RFC 6438 section 3: the label, too, has the flow's entropy. */
			.flow_lbl = {outer_class(p) << 4 | (bpf_ntohl(shim.tag) >> 16 & 15), bpf_ntohl(shim.tag) >> 8,
				     bpf_ntohl(shim.tag)},
			.payload_len = bpf_htons(sizeof(outer) - sizeof(outer.ip) + length),
			.nexthdr = IPPROTO_UDP,
			.hop_limit = HOPS,
		},
		.udp = make_udp(set, shim.tag, length),
		.shim = shim,
	};

	__builtin_memcpy(&outer.ip.saddr, &set->source6, sizeof(struct address));
	__builtin_memcpy(&outer.ip.daddr, &to->address, sizeof(struct address));
	return bpf_xdp_store_bytes(ctx, p->start, &outer, sizeof(outer)) == 0;
}

/* Wraps the packet for another site; its link's header is as long as `p->start` says. */
static __always_inline int wrap(struct xdp_md *ctx, const struct settings *set, const struct packet *p, __u32 head,
				const struct site *to)
{
	struct shim shim = {bpf_htonl(head), make_tag(set, head, &p->flow)};
	int is_over4 = to->family == 4;
	struct link link = {};

	if (!read_link(ctx, &link, p->start))
		return 0;
	turn_round(&link);
	if (bpf_xdp_adjust_head(ctx, is_over4 ? -(int)sizeof(struct outer4) : -(int)sizeof(struct outer6)))
		return 0;
	if (!write_link(ctx, &link, p->start, to->family))
		return 0;
	return is_over4 ? write_outer4(ctx, set, p, to, shim) : write_outer6(ctx, set, p, to, shim);
}

/* Takes the outer headers off; `p` is the packet inside, and is told where it begins then. */
GLOBAL int unwrap(struct xdp_md *ctx, struct packet *p, __u32 start)
{
	struct link link = {};
	__u32 overhead;

	if (!p)
		return 0;
	overhead = p->start - start;
	if (!read_link(ctx, &link, start))
		return 0;
	if (bpf_xdp_adjust_head(ctx, overhead == sizeof(struct outer4) ? sizeof(struct outer4) : sizeof(struct outer6)))
		return 0;
	p->start -= overhead;
	p->transport -= overhead;
	p->end -= overhead;
	return write_link(ctx, &link, start, p->family);
}
