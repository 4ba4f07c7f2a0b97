/* Connections that survive a change of route: a packet of a connection that another site has is forwarded to that site.
 *
 *   frame -> packet.h: what is it? -> search.h: whose is it? -> pass it on to this host, or
 *                                                               tunnel.h: wrap it, send it to its owner, or
 *                                                               drop it
 *
 * There are two programs for what arrives and two for what leaves: for interfaces with Ethernet headers and for those
 * without. Everything passes until the settings say otherwise. */
#include "clamp.h"
#include "search.h"
#include "tunnel.h"

/* The interface that has no link header cannot say that a packet is of another family than the one that arrived. */
static __always_inline int keeps_family(enum layer layer, __u8 outer, __u8 inner)
{
	return layer == ETHERNET || outer == inner;
}

/* Keeps a copy of the packet for the daemon, which sends it on when it is known whose it is. */
static __always_inline int hold(struct xdp_md *ctx, const struct packet *p)
{
	__u32 length = p->end - p->start;
	struct held *room;

	if (length == 0 || length > MOST_HELD)
		return 0;
	room = bpf_ringbuf_reserve(&held, sizeof(*room), 0);
	if (!room)
		return 0;
	room->flow = p->flow;
	room->length = length;
	if (bpf_xdp_load_bytes(ctx, p->start, room->packet, length)) {
		bpf_ringbuf_discard(room, 0);
		return 0;
	}
	bpf_ringbuf_submit(room, BPF_RB_NO_WAKEUP);
	return 1;
}

GLOBAL int act(struct xdp_md *ctx, const struct settings *set, const struct packet *p, const struct visit *visit, ruling ruling)
{
	const struct site *to;
	__u32 head;

	if (!set || !p || !visit)
		return XDP_PASS;
	count(verdict_of(ruling));
	switch (verdict_of(ruling)) {
	case LEARNED:
	case CLAIMED:
	case GUESSED:
	case RELAYED:
		to = find_site(site_of(ruling));
		head = visit->head ? next_head(visit->head, set->sending, set->number)
				   : first_head(set->sending, set->number);
		if (to && wrap(ctx, set, p, head, to))
			return XDP_TX;
		count(UNSENT);
		return XDP_DROP;
	case HELD:
		if (!hold(ctx, p))
			count(UNSENT);
		return XDP_DROP;
	case OVER_BUDGET:
	case UNCLAIMED:
	case OVERSIZED:
	case REFUSED:
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

/* Who forwards what this site owns: for people who look. */
GLOBAL int note_received(const struct packet *p, __u32 head)
{
	struct passage *passage;
	__u64 now = bpf_ktime_get_ns();

	if (!p)
		return 0;
	passage = bpf_map_lookup_elem(&received, &p->flow);
	if (passage && passage->site == head_last(head)) {
		passage->seen = now;
		__sync_fetch_and_add(&passage->packets, 1);
		return 1;
	}
	struct passage fresh = {.since = now, .seen = now, .packets = 1, .site = head_last(head)};
	return bpf_map_update_elem(&received, &p->flow, &fresh, BPF_ANY) == 0;
}

static __always_inline int refuse(void)
{
	count(REFUSED);
	return XDP_DROP;
}

/* A packet from another site: believed if the address, the way that it came and the tag say so. `p` is the outer packet
 * first and the inner one then. */
static __always_inline int receive(struct xdp_md *ctx, const struct settings *set, struct packet *p, enum layer layer)
{
	__u32 start = p->start, end = p->end, inside = p->transport + sizeof(struct udphdr) + sizeof(struct shim);
	const __u32 *peer = bpf_map_lookup_elem(&peers, &p->flow.client);
	__u8 family = p->family;
	struct visit visit = {};
	struct shim shim;
	enum kind kind;

	if (!peer || inside > end || !READ(&shim, p->transport + sizeof(struct udphdr)))
		return refuse();
	visit.head = bpf_ntohl(shim.head);
	visit.visited = head_visited(visit.head);
	if (!visit.visited || head_last(visit.head) != *peer || visit.visited >> (set->number & 63) & 1)
		return refuse();
	kind = read_packet(ctx, set, p, inside, end);
	if (kind == ELSEWHERE || kind == TUNNEL || kind == UNREADABLE || kind == BROKEN_UP ||
	    !keeps_family(layer, family, p->family))
		return refuse();
	if (!(set->known >> head_key(visit.head) & 1) || make_tag(set, visit.head, &p->flow) != shim.tag)
		return refuse();
	count(ARRIVED);
	visit.visited |= 1ULL << (set->number & 63);
	visit.has_room = head_more(visit.head) < MORE;

	ruling ruled = judge(ctx, set, p, kind, &visit);
	if (verdict_of(ruled) == OWNED)
		note_received(p, visit.head);
	if (!unwrap(ctx, p, start)) {
		count(UNSENT);
		return XDP_DROP;
	}
	return act(ctx, set, p, &visit, ruled);
}

static __always_inline int arrive(struct xdp_md *ctx, enum layer layer)
{
	const struct settings *set = read_settings();
	struct visit visit = {.has_room = 1};
	struct packet p = {};
	enum kind kind;
	int start;

	if (!set || !set->active)
		return XDP_PASS;
	start = layer == ETHERNET ? read_ethernet(ctx) : 0;
	kind = layer == ETHERNET && !start ? ELSEWHERE : read_packet(ctx, set, &p, start, bpf_xdp_get_buff_len(ctx));
	switch (kind) {
	case ELSEWHERE:
		count(FOREIGN);
		return XDP_PASS;
	case TUNNEL:
		return receive(ctx, set, &p, layer);
	default:
		visit.visited = 1ULL << (set->number & 63);
		return act(ctx, set, &p, &visit, judge(ctx, set, &p, kind, &visit));
	}
}

SEC("xdp")
int arrive_ethernet(struct xdp_md *ctx)
{
	return arrive(ctx, ETHERNET);
}

SEC("xdp")
int arrive_ip(struct xdp_md *ctx)
{
	return arrive(ctx, IP);
}

SEC("classifier")
int clamp_ethernet(struct __sk_buff *skb)
{
	return clamp(skb, ETHERNET);
}

SEC("classifier")
int clamp_ip(struct __sk_buff *skb)
{
	return clamp(skb, IP);
}

/* The kernel lets programs with these helpers use them under its own licence only. */
const char licence[] SEC("license") = "Dual MIT/GPL";
