/* The largest segment that the other end may send: one that still fits when it is forwarded. The service names it in its
 * SYN-ACK, and in its SYN where it is the one that calls (RFC 9293 section 3.7.1); what it names too large is lowered on
 * the way out. */
#pragma once

#include "packet.h"
#include "tables.h"
#include <linux/pkt_cls.h>
#include <stddef.h>

#define OPTIONS 10 /* that are walked through */
#define END_OF_OPTIONS 0
#define NO_OPERATION 1
#define MAXIMUM_SEGMENT_SIZE 2

#define LOAD(into, at) (bpf_skb_load_bytes(skb, at, into, sizeof(*(into))) == 0)

/* Where the TCP header of a segment from a service begins; 0 for anything else. */
static __always_inline __u32 find_segment4(struct __sk_buff *skb, __u32 start)
{
	struct iphdr ip;
	struct address source;

	if (!LOAD(&ip, start) || ip.version != 4 || ip.ihl < 5 || ip.protocol != IPPROTO_TCP ||
	    ip.frag_off & bpf_htons(0x3fff))
		return 0;
	source = mapped(ip.saddr);
	return bpf_map_lookup_elem(&services, &source) ? start + ip.ihl * 4 : 0;
}

static __always_inline __u32 find_segment6(struct __sk_buff *skb, __u32 start)
{
	struct ipv6hdr ip;
	struct address source;

	if (!LOAD(&ip, start) || ip.version != 6 || ip.nexthdr != IPPROTO_TCP)
		return 0;
	__builtin_memcpy(&source, &ip.saddr, sizeof(source));
	return bpf_map_lookup_elem(&services, &source) ? start + sizeof(ip) : 0;
}

/* Where the value of the option lies in a SYN; 0 if there is none. */
static __always_inline __u32 find_segment_size(struct __sk_buff *skb, __u32 transport)
{
	__u8 octets[14];
	__u8 option[2];
	__u32 at, end;

	if (!LOAD(&octets, transport) || !(octets[TCP_FLAGS] & SYN_FLAG))
		return 0;
	at = transport + sizeof(struct tcphdr);
	end = transport + (octets[12] >> 4) * 4;
	for (int i = 0; i < OPTIONS; i++) {
		if (at + 2 > end || !LOAD(&option, at) || option[0] == END_OF_OPTIONS)
			return 0;
		if (option[0] == NO_OPERATION) {
			at += 1;
			continue;
		}
		if (option[1] < 2 || at + option[1] > end)
			return 0;
		if (option[0] == MAXIMUM_SEGMENT_SIZE)
			return option[1] == 4 ? at + 2 : 0;
		at += option[1];
	}
	return 0;
}

static __always_inline void lower(struct __sk_buff *skb, __u32 transport, __u32 at, __u16 most)
{
	/* A value at an odd place counts with its octets exchanged (RFC 1071 section 2). */
	int is_odd = (at - transport) & 1;
	__be16 before, after = bpf_htons(most);

	if (!LOAD(&before, at) || bpf_ntohs(before) <= most)
		return;
	__u16 from = is_odd ? __builtin_bswap16(before) : before;
	__u16 to = is_odd ? __builtin_bswap16(after) : after;
	if (bpf_l4_csum_replace(skb, transport + offsetof(struct tcphdr, check), from, to, sizeof(to)) == 0)
		bpf_skb_store_bytes(skb, at, &after, sizeof(after), 0);
}

static __always_inline int clamp(struct __sk_buff *skb, enum layer layer)
{
	const struct settings *set = read_settings();
	__u32 start = layer == ETHERNET ? ETH_HLEN : 0, transport = 0, at;
	int is_ipv4 = skb->protocol == bpf_htons(ETH_P_IP);

	if (!set || !set->active)
		return TC_ACT_UNSPEC;
	if (is_ipv4)
		transport = find_segment4(skb, start);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		transport = find_segment6(skb, start);
	if (!transport)
		return TC_ACT_UNSPEC;
	at = find_segment_size(skb, transport);
	if (at)
		lower(skb, transport, at, set->longest - (is_ipv4 ? 40 : 60));
	return TC_ACT_UNSPEC;
}
