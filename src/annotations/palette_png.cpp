#include "annotations/palette_png.hpp"

#include <png.h>

#include <bitset>
#include <csetjmp>
#include <cstring>
#include <span>

#include "base/atomic_file.hpp"
#include "base/check.hpp"
#include "base/mapped_file.hpp"

namespace vostrack::annotations {
namespace {

constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;

/// What libpng last complained about; it leaves by longjmp, past every destructor, so functions
/// that call setjmp own nothing themselves.
struct Complaint {
  char text[128] = "unknown error";
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* complaint = static_cast<Complaint*>(png_get_error_ptr(png));
  std::strncpy(complaint->text, message, sizeof complaint->text - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

class Reader {
 public:
  Reader(const std::string& path, std::span<const std::uint8_t> bytes)
      : path_(path),
        bytes_(bytes),
        png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &complaint_, on_error, on_warning)),
        info_(png_ ? png_create_info_struct(png_) : nullptr) {
    if (!info_) png_destroy_read_struct(&png_, nullptr, nullptr);
    check(png_ != nullptr, ErrorCode::kOutOfMemory, "{}: no memory for a PNG reader", path);
    png_set_read_fn(png_, this, take_bytes);
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  LabelImage read() {
    check(read_header(), ErrorCode::kCorruptFile, "{}: {}", path_, complaint_.text);
    const std::int64_t height = png_get_image_height(png_, info_);
    const std::int64_t width = png_get_image_width(png_, info_);
    const std::int64_t bits =
        std::int64_t{png_get_bit_depth(png_, info_)} * png_get_channels(png_, info_);
    check(png_get_bit_depth(png_, info_) <= 8, ErrorCode::kUnsupported,
          "{}: 16 bits a channel, labels have at most 8", path_);
    check(height * width <= kMaxPixels, ErrorCode::kUnsupported,
          "{}: {}x{}, want at most {} pixels", path_, width, height, kMaxPixels);
    // Deflate packs at most 1032 to 1, so a small file cannot hold a large picture.
    check(height * (width * bits / 8) / 1032 <= static_cast<std::int64_t>(bytes_.size()),
          ErrorCode::kCorruptFile, "{}: {} bytes are too few for {}x{}", path_, bytes_.size(),
          width, height);
    check(prepare(), ErrorCode::kCorruptFile, "{}: {}", path_, complaint_.text);

    const std::size_t row_bytes = png_get_rowbytes(png_, info_);
    const std::size_t step = png_get_channels(png_, info_);
    VOSTRACK_ASSERT(row_bytes == step * static_cast<std::size_t>(width));
    std::vector<std::uint8_t> pixels(row_bytes * height);
    std::vector<png_bytep> rows(height);
    for (std::int64_t y = 0; y < height; ++y) rows[y] = pixels.data() + y * row_bytes;
    check(read_rows(rows.data()), ErrorCode::kCorruptFile, "{}: {}", path_, complaint_.text);

    LabelImage image{static_cast<int>(height), static_cast<int>(width), {}};
    if (step == 1) {
      image.labels = std::move(pixels);
      return image;
    }
    image.labels.resize(static_cast<std::size_t>(height * width));
    for (std::size_t i = 0; i < image.labels.size(); ++i) image.labels[i] = pixels[i * step];
    return image;
  }

 private:
  static void take_bytes(png_structp png, png_bytep out, std::size_t count) {
    auto& self = *static_cast<Reader*>(png_get_io_ptr(png));
    if (count > self.bytes_.size() - self.at_) png_error(png, "the file is cut short");
    std::memcpy(out, self.bytes_.data() + self.at_, count);
    self.at_ += count;
  }

  bool read_header() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_info(png_, info_);
    return true;
  }

  bool prepare() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_packing(png_);
    if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_GRAY)
      png_set_expand_gray_1_2_4_to_8(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool read_rows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  const std::string& path_;
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  Complaint complaint_;
  png_structp png_;
  png_infop info_;
};

class Writer {
 public:
  explicit Writer(const std::string& path)
      : path_(path),
        png_(png_create_write_struct(PNG_LIBPNG_VER_STRING, &complaint_, on_error, on_warning)),
        info_(png_ ? png_create_info_struct(png_) : nullptr) {
    if (!info_) png_destroy_write_struct(&png_, nullptr);
    check(png_ != nullptr, ErrorCode::kOutOfMemory, "{}: no memory for a PNG writer", path);
    png_set_write_fn(png_, this, put_bytes, nullptr);
  }
  ~Writer() { png_destroy_write_struct(&png_, &info_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  std::vector<std::uint8_t> write(const LabelImage& image) {
    std::array<png_color, 256> palette;
    for (int i = 0; i < 256; ++i) {
      const auto [red, green, blue] = voc_colour(static_cast<std::uint8_t>(i));
      palette[i] = {red, green, blue};
    }
    check(write_all(image, palette.data()), ErrorCode::kInternal, "{}: {}", path_, complaint_.text);
    return std::move(bytes_);
  }

 private:
  static void put_bytes(png_structp png, png_bytep data, std::size_t count) {
    auto& self = *static_cast<Writer*>(png_get_io_ptr(png));
    bool stored = true;
    try {
      self.bytes_.insert(self.bytes_.end(), data, data + count);
    } catch (const std::bad_alloc&) {
      stored = false;  // No exception may cross libpng.
    }
    if (!stored) png_error(png, "no memory");
  }

  bool write_all(const LabelImage& image, const png_color* palette) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_IHDR(png_, info_, image.width, image.height, 8, PNG_COLOR_TYPE_PALETTE,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_PLTE(png_, info_, palette, 256);
    png_write_info(png_, info_);
    for (int y = 0; y < image.height; ++y)
      png_write_row(png_, image.labels.data() + std::size_t{1} * y * image.width);
    png_write_end(png_, info_);
    return true;
  }

  const std::string& path_;
  std::vector<std::uint8_t> bytes_;
  Complaint complaint_;
  png_structp png_;
  png_infop info_;
};

}  // namespace

std::array<std::uint8_t, 3> voc_colour(std::uint8_t label) {
  std::array<std::uint8_t, 3> colour{};
  for (int bit = 7, rest = label; rest != 0; --bit, rest >>= 3)
    for (int channel = 0; channel < 3; ++channel)
      colour[channel] |= static_cast<std::uint8_t>((rest >> channel & 1) << bit);
  return colour;
}

LabelImage read_label_png(const std::string& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  check(bytes.size() >= 8 && png_sig_cmp(bytes.data(), 0, 8) == 0, ErrorCode::kCorruptFile,
        "{}: not a PNG", path);
  return Reader(path, bytes).read();
}

void write_label_png(const std::string& path, const LabelImage& image) {
  check(image.height > 0 && image.width > 0 &&
            image.labels.size() == std::size_t{1} * image.height * image.width,
        ErrorCode::kInvalidArgument, "{}: {} labels, want {} x {}", path, image.labels.size(),
        image.height, image.width);
  write_file_atomically(path, Writer(path).write(image));
}

std::vector<std::uint8_t> labels_in(const LabelImage& image) {
  std::bitset<256> seen;
  for (std::uint8_t label : image.labels) seen.set(label);
  std::vector<std::uint8_t> result;
  for (int label = 1; label < 256; ++label)
    if (seen.test(label)) result.push_back(static_cast<std::uint8_t>(label));
  return result;
}

Mask mask_of(const LabelImage& image, std::uint8_t label) {
  Mask mask{image.height, image.width, std::vector<std::uint8_t>(image.labels.size())};
  for (std::size_t i = 0; i < image.labels.size(); ++i) mask.data[i] = image.labels[i] == label;
  return mask;
}

}  // namespace vostrack::annotations
