//! What a site says of the flows that it owns, so that others find it: a set that is small, and wrong now and then.
//!
//! A split block Bloom filter as Apache Parquet defines it (parquet-format, "BloomFilter.md"): blocks of eight words of 32
//! bits; a flow belongs to one block and sets one bit in each of its words. Looking a flow up touches 32 octets, whatever
//! the size. With [`Filter::BITS_PER_FLOW`] bits a flow, about one of 200 foreign flows is taken for one that is there; none
//! that is there is ever missed.
//!
//! Why no library: the kernel looks flows up with a few lines of C, and this must agree with it bit by bit. The hash is
//! keyed ([`Key`]), so that nobody outside can choose flows that a site will answer for.

use crate::{Flow, Key};

/// 256 bits.
pub type Block = [u32; 8];

/// The multipliers that Parquet's specification gives.
const SALT: Block =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// A set of flows, in which a few others seem to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// One at least.
    blocks: Vec<Block>,
}

impl Filter {
    /// Room for each flow.
    pub const BITS_PER_FLOW: usize = 12;
    /// Most blocks of a filter: 48 MiB, good for 33 million flows.
    pub const MOST_BLOCKS: usize = 3 << 19;
    /// Octets of a block.
    pub const BLOCK_LEN: usize = 32;

    /// An empty one with room for so many flows.
    pub fn with_room_for(flows: usize) -> Self {
        let blocks = flows.saturating_mul(Self::BITS_PER_FLOW).div_ceil(256);
        Filter { blocks: vec![[0; 8]; blocks.clamp(1, Self::MOST_BLOCKS)] }
    }

    /// The filter with these blocks; none for no block, or for more than are allowed.
    pub fn of_blocks(blocks: Vec<Block>) -> Option<Self> {
        (1..=Self::MOST_BLOCKS).contains(&blocks.len()).then_some(Filter { blocks })
    }

    /// Its blocks.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Its words one after the other, the low octet first, as Parquet writes them.
    pub fn octets(&self) -> Vec<u8> {
        self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The filter that [`Filter::octets`] gave; none for octets that are no whole blocks, no block, or too many.
    pub fn of_octets(octets: &[u8]) -> Option<Self> {
        let (words, rest) = octets.as_chunks::<4>();
        let (blocks, more) = words.as_chunks::<8>();
        let read = |block: &[[u8; 4]; 8]| block.map(u32::from_le_bytes);
        if !rest.is_empty() || !more.is_empty() || blocks.len() > Self::MOST_BLOCKS {
            return None;
        }
        Filter::of_blocks(blocks.iter().map(read).collect())
    }

    /// Puts a flow in.
    pub fn insert(&mut self, flow: &Flow, key: &Key) {
        let (place, mask) = self.find(flow, key);
        for (word, bit) in self.blocks[place].iter_mut().zip(mask) {
            *word |= bit;
        }
    }

    /// Whether the flow was put in; true for one of 200 that was not.
    pub fn contains(&self, flow: &Flow, key: &Key) -> bool {
        let (place, mask) = self.find(flow, key);
        self.blocks[place].iter().zip(mask).all(|(word, bit)| word & bit != 0)
    }

    /// The block of the flow, and its bit in each word.
    fn find(&self, flow: &Flow, key: &Key) -> (usize, Block) {
        let hash = key.hash(&flow.octets());
        let place = ((hash >> 32) * self.blocks.len() as u64) >> 32;
        let mask = SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27));
        (place as usize, mask)
    }
}
