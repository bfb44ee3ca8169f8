//! Files made by hand, byte by byte where no encoder would write them.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use poster::{Canvas, Picture, encode};

/// A picture whose four corners differ: red, green, blue, and white.
pub fn corners(width: u32, height: u32) -> Canvas {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            rgb.extend(match (x < width / 2, y < height / 2) {
                (true, true) => [255, 0, 0],
                (false, true) => [0, 255, 0],
                (true, false) => [0, 0, 255],
                (false, false) => [255, 255, 255],
            });
        }
    }
    Canvas { width, height, rgb }
}

/// Which colour a pixel is nearest to.
pub fn colour(picture: &Picture, x: u32, y: u32) -> &'static str {
    let at = 4 * (y * picture.width + x) as usize;
    match [0, 1, 2].map(|sample| picture.rgba[at + sample] >= 128) {
        [true, false, false] => "red",
        [false, true, false] => "green",
        [false, false, true] => "blue",
        [true, true, true] => "white",
        _ => "other",
    }
}

pub fn jpeg(canvas: &Canvas) -> Vec<u8> {
    encode::jpeg(canvas, 90).unwrap()
}

/// A progressive JPEG with so many scans for each component.
pub fn progressive(canvas: &Canvas, scans: u8) -> Vec<u8> {
    let mut written = Vec::new();
    let mut encoder = Encoder::new(&mut written, 90);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_progressive_scans(scans);
    let (width, height) = (canvas.width as u16, canvas.height as u16);
    encoder
        .encode(&canvas.rgb, width, height, ColorType::Rgb)
        .unwrap();
    written
}

/// A JPEG of other samples.
pub fn jpeg_of(samples: &[u8], width: u16, height: u16, colours: ColorType) -> Vec<u8> {
    let mut written = Vec::new();
    Encoder::new(&mut written, 95)
        .encode(samples, width, height, colours)
        .unwrap();
    written
}

/// Puts a segment behind a JPEG's first two bytes.
pub fn with_segment(jpeg: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, payload, &jpeg[2..]].concat()
}

/// Exif data that says how a picture is turned.
pub fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    tiff
}

pub fn png(canvas: &Canvas) -> Vec<u8> {
    encode::png(canvas).unwrap()
}

/// A PNG of any samples, as the library writes it.
pub fn png_of(
    samples: &[u8],
    (width, height): (u32, u32),
    colours: png::ColorType,
    depth: png::BitDepth,
) -> Vec<u8> {
    let mut written = Vec::new();
    let mut encoder = png::Encoder::new(&mut written, width, height);
    encoder.set_color(colours);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::High);
    if colours == png::ColorType::Indexed {
        encoder.set_palette(vec![255, 0, 0, 0, 0, 255]);
        encoder.set_trns(vec![255, 0]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(samples).unwrap();
    writer.finish().unwrap();
    written
}

/// A PNG that moves.
pub fn apng() -> Vec<u8> {
    let mut written = Vec::new();
    let mut encoder = png::Encoder::new(&mut written, 2, 2);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0; 4]).unwrap();
    writer.write_image_data(&[9; 4]).unwrap();
    writer.finish().unwrap();
    written
}

/// A PNG from its chunks.
pub fn chunks(parts: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
    for (name, payload) in parts {
        file.extend((payload.len() as u32).to_be_bytes());
        let named = [&name[..], payload].concat();
        file.extend(&named);
        file.extend(crc(&named).to_be_bytes());
    }
    file
}

/// A PNG's header.
pub fn header(width: u32, height: u32, depth: u8, colours: u8, interlaced: bool) -> Vec<u8> {
    let mut payload = [width.to_be_bytes(), height.to_be_bytes()].concat();
    payload.extend([depth, colours, 0, 0, u8::from(interlaced)]);
    payload
}

/// Bytes as zlib would write them, uncompressed.
pub fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut written = vec![0x78, 0x01];
    let mut pieces = bytes.chunks(65_535).peekable();
    while let Some(piece) = pieces.next() {
        written.push(u8::from(pieces.peek().is_none()));
        written.extend((piece.len() as u16).to_le_bytes());
        written.extend((!(piece.len() as u16)).to_le_bytes());
        written.extend(piece);
    }
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    written.extend((high << 16 | low).to_be_bytes());
    written
}

/// Millions of zeroes, deflated to some thousand bytes.
pub fn bomb() -> Vec<u8> {
    let zeroes = png_of(
        &vec![0; 4_000 * 4_000],
        (4_000, 4_000),
        png::ColorType::Grayscale,
        png::BitDepth::Eight,
    );
    let start = zeroes.windows(4).position(|name| name == b"IDAT").unwrap();
    let length = u32::from_be_bytes(zeroes[start - 4..start].try_into().unwrap());
    zeroes[start + 4..][..length as usize].to_vec()
}

/// Adam7: first column and row of each pass, and how far apart its columns and rows are.
pub const PASSES: [(u32, u32, u32, u32); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

/// An interlaced PNG of the four corners, 8 x 8, as eight bits of RGB.
pub fn interlaced() -> Vec<u8> {
    let canvas = corners(8, 8);
    let mut rows = Vec::new();
    for (left, top, across, down) in PASSES {
        for y in (top..8).step_by(down as usize) {
            rows.push(0);
            for x in (left..8).step_by(across as usize) {
                let at = 3 * (y * 8 + x) as usize;
                rows.extend(&canvas.rgb[at..at + 3]);
            }
        }
    }
    chunks(&[
        (b"IHDR", header(8, 8, 8, 2, true)),
        (b"IDAT", stored(&rows)),
        (b"IEND", Vec::new()),
    ])
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    })
}

pub fn webp(canvas: &Canvas) -> Vec<u8> {
    encode::webp(canvas, 90).unwrap()
}

/// Losslessly coded, with transparency.
pub fn webp_lossless(rgba: &[u8], width: u32, height: u32) -> Vec<u8> {
    let encoder = webp::Encoder::from_rgba(rgba, width, height);
    encoder.encode_lossless().to_vec()
}

/// Lossily coded, with transparency.
pub fn webp_alpha(rgba: &[u8], width: u32, height: u32) -> Vec<u8> {
    webp::Encoder::from_rgba(rgba, width, height)
        .encode(90.0)
        .to_vec()
}

/// A WebP from its chunks.
pub fn riff(parts: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, payload) in parts {
        body.extend(*name);
        body.extend((payload.len() as u32).to_le_bytes());
        body.extend(payload);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}

/// The header of an extended WebP.
pub fn extended(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let mut payload = vec![flags, 0, 0, 0];
    payload.extend(&(width - 1).to_le_bytes()[..3]);
    payload.extend(&(height - 1).to_le_bytes()[..3]);
    payload
}

/// What a simple WebP has in its only chunk.
pub fn coded(webp: &[u8]) -> Vec<u8> {
    let length = u32::from_le_bytes(webp[16..20].try_into().unwrap());
    webp[20..20 + length as usize].to_vec()
}
