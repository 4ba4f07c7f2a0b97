/* What a packet is: to whom it goes, of which flow it is, and where its parts begin. */
#pragma once

#include "tables.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#define EXTENSIONS 4 /* headers that are walked through */
#define TCP_FLAGS 13 /* place of the flags in the header */
#define FIN_FLAG 0x01
#define SYN_FLAG 0x02
#define ACK_FLAG 0x10

/* Whether a frame begins with an Ethernet header. An interface of layer 3 has none. */
enum layer { ETHERNET, IP };

enum kind {
	ELSEWHERE,  /* for no service, or nothing that this reads */
	TUNNEL,	    /* from another site */
	UNREADABLE, /* for a service; its flow cannot be told */
	DATAGRAM,   /* for a service, and no part of a connection */
	FIRST,	    /* a SYN */
	SEGMENT,    /* any other segment */
	BROKEN_UP,  /* the first fragment of such a segment: no other site would find the rest of it */
	QUOTED,	    /* an error about a segment that the service has sent */
};

struct packet {
	struct flow flow;	/* in a TUNNEL: the sender and the receiver */
	__u32 start;		/* of the IP header in the frame */
	__u32 transport;	/* of what follows the IP headers */
	__u32 end;		/* of the packet; padding may follow */
	__u8 family;
	__u8 traffic_class;
};

/* The length is known when this is compiled. */
#define READ(into, at) (bpf_xdp_load_bytes(ctx, at, into, sizeof(*(into))) == 0)

static __always_inline struct address mapped(__be32 address)
{
	return (struct address){{0, 0, bpf_htonl(0xffff), address}};
}

static __always_inline int same(const struct address *a, const struct address *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] &&
	       a->word[3] == b->word[3];
}

struct ports {
	__be16 source;
	__be16 destination;
};

/* The flow of a segment that the service has sent, as an error quotes it. */
static __always_inline enum kind read_quoted(struct xdp_md *ctx, struct packet *p, __u32 at)
{
	struct flow *flow = &p->flow;
	struct address source, destination;
	struct ports ports;

	if (p->family == 4) {
		struct iphdr ip;
		if (at + sizeof(ip) > p->end || !READ(&ip, at))
			return DATAGRAM;
		if (ip.version != 4 || ip.ihl < 5 || ip.protocol != IPPROTO_TCP || ip.frag_off & bpf_htons(0x1fff))
			return DATAGRAM;
		source = mapped(ip.saddr);
		destination = mapped(ip.daddr);
		at += ip.ihl * 4;
	} else {
		struct ipv6hdr ip;
		if (at + sizeof(ip) > p->end || !READ(&ip, at))
			return DATAGRAM;
		if (ip.version != 6 || ip.nexthdr != IPPROTO_TCP)
			return DATAGRAM;
		__builtin_memcpy(&source, &ip.saddr, sizeof(source));
		__builtin_memcpy(&destination, &ip.daddr, sizeof(destination));
		at += sizeof(ip);
	}
	if (!same(&source, &flow->service) || at + sizeof(ports) > p->end || !READ(&ports, at))
		return DATAGRAM;
	flow->client = destination;
	flow->client_port = ports.destination;
	flow->service_port = ports.source;
	return QUOTED;
}

static __always_inline enum kind read_error(struct xdp_md *ctx, struct packet *p)
{
	__u8 type;

	if (p->transport + 8 > p->end || !READ(&type, p->transport))
		return DATAGRAM;
	/* RFC 792: unreachable, which a packet too big is one of, time exceeded, parameter problem. RFC 4443: all errors
	 * that it defines. */
	if (p->family == 4 ? type != 3 && type != 11 && type != 12 : type < 1 || type > 4)
		return DATAGRAM;
	return read_quoted(ctx, p, p->transport + 8);
}

static __always_inline enum kind read_transport(struct xdp_md *ctx, struct packet *p, __u8 protocol, int is_fragment)
{
	struct ports ports;
	__u8 flags;

	if (is_fragment && protocol != IPPROTO_TCP)
		return UNREADABLE;
	if (protocol == (p->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return read_error(ctx, p);
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return DATAGRAM;
	if (p->transport + (protocol == IPPROTO_TCP ? 20 : 8) > p->end || !READ(&ports, p->transport))
		return UNREADABLE;
	p->flow.client_port = ports.source;
	p->flow.service_port = ports.destination;
	if (protocol == IPPROTO_UDP)
		return DATAGRAM;
	if (!READ(&flags, p->transport + TCP_FLAGS))
		return UNREADABLE;
	if ((flags & (SYN_FLAG | ACK_FLAG)) == SYN_FLAG)
		return is_fragment ? UNREADABLE : FIRST;
	return is_fragment ? BROKEN_UP : SEGMENT;
}

/* Whether the packet is one that another site has wrapped: nothing between the IP header and that of UDP. */
static __always_inline int is_tunnel(struct xdp_md *ctx, const struct settings *set, struct packet *p, __u8 protocol)
{
	const struct address *ours = p->family == 4 ? &set->source4 : &set->source6;
	struct ports ports;

	if (protocol != IPPROTO_UDP || !same(&p->flow.service, ours))
		return 0;
	if (p->transport != p->start + (p->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)))
		return 0;
	return p->transport + 8 <= p->end && READ(&ports, p->transport) && ports.destination == set->port;
}

/* The IPv4 packet from `p->start` on, which must not go beyond `limit`. */
static __always_inline enum kind read_ipv4(struct xdp_md *ctx, const struct settings *set, struct packet *p, __u32 limit)
{
	struct iphdr ip;

	if (!READ(&ip, p->start) || ip.version != 4 || ip.ihl < 5)
		return ELSEWHERE;
	p->family = 4;
	p->traffic_class = ip.tos;
	p->transport = p->start + ip.ihl * 4;
	p->end = p->start + bpf_ntohs(ip.tot_len);
	if (p->end > limit || p->transport > p->end)
		return ELSEWHERE;
	p->flow.client = mapped(ip.saddr);
	p->flow.service = mapped(ip.daddr);

	int is_fragment = (ip.frag_off & bpf_htons(0x3fff)) != 0;
	if (!bpf_map_lookup_elem(&services, &p->flow.service))
		return !is_fragment && is_tunnel(ctx, set, p, ip.protocol) ? TUNNEL : ELSEWHERE;
	if (ip.frag_off & bpf_htons(0x1fff))
		return UNREADABLE;
	return read_transport(ctx, p, ip.protocol, is_fragment);
}

/* The headers of RFC 8200 section 4.1 that are read. */
static __always_inline int is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_FRAGMENT ||
	       protocol == IPPROTO_DSTOPTS;
}

static __always_inline enum kind read_ipv6(struct xdp_md *ctx, const struct settings *set, struct packet *p, __u32 limit)
{
	struct ipv6hdr ip;
	struct {
		__u8 next;
		__u8 length; /* none in a fragment's */
		__be16 fragment;
	} extension;
	int is_fragment = 0;

	if (!READ(&ip, p->start) || ip.version != 6)
		return ELSEWHERE;
	p->family = 6;
	p->traffic_class = ip.priority << 4 | ip.flow_lbl[0] >> 4;
	p->transport = p->start + sizeof(ip);
	p->end = p->transport + bpf_ntohs(ip.payload_len);
	if (p->end > limit)
		return ELSEWHERE;
	__builtin_memcpy(&p->flow.client, &ip.saddr, sizeof(struct address));
	__builtin_memcpy(&p->flow.service, &ip.daddr, sizeof(struct address));
	if (!bpf_map_lookup_elem(&services, &p->flow.service))
		return is_tunnel(ctx, set, p, ip.nexthdr) ? TUNNEL : ELSEWHERE;

	__u8 next = ip.nexthdr;
	for (int i = 0; i < EXTENSIONS && is_extension(next); i++) {
		if (p->transport + 8 > p->end || !READ(&extension, p->transport))
			return UNREADABLE;
		if (next == IPPROTO_FRAGMENT) {
			/* RFC 8200 section 4.5: the offset, and whether more follow. */
			if (extension.fragment & bpf_htons(0xfff8))
				return UNREADABLE;
			is_fragment |= extension.fragment & bpf_htons(1);
			p->transport += 8;
		} else {
			p->transport += (extension.length + 1) * 8;
		}
		next = extension.next;
	}
	if (p->transport > p->end || is_extension(next))
		return UNREADABLE;
	return read_transport(ctx, p, next, is_fragment);
}

/* The packet from `start` on, of whichever version it says it is. */
GLOBAL enum kind read_packet(struct xdp_md *ctx, const struct settings *set, struct packet *p,
			       __u32 start, __u32 limit)
{
	__u8 first;

	if (!set || !p)
		return ELSEWHERE;

	p->start = start;
	p->flow.client_port = 0;
	p->flow.service_port = 0;
	if (!READ(&first, start))
		return ELSEWHERE;
	switch (first >> 4) {
	case 4:
		return read_ipv4(ctx, set, p, limit);
	case 6:
		return read_ipv6(ctx, set, p, limit);
	default:
		return ELSEWHERE;
	}
}

/* Where the IP header begins: behind an Ethernet header with one tag at most (IEEE 802.1Q); 0 for what is no IP. */
static __always_inline int read_ethernet(struct xdp_md *ctx)
{
	struct ethhdr ethernet;
	__be16 inner;
	int length = ETH_HLEN;
	__be16 type;

	if (!READ(&ethernet, 0))
		return 0;
	type = ethernet.h_proto;
	if (type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD)) {
		if (!READ(&inner, ETH_HLEN + 2))
			return 0;
		type = inner;
		length += 4;
	}
	return type == bpf_htons(ETH_P_IP) || type == bpf_htons(ETH_P_IPV6) ? length : 0;
}
