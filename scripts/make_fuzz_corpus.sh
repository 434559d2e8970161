#!/usr/bin/env bash
# Makes small clips of many containers and codecs, for fuzz_video to damage.
#
#   scripts/make_fuzz_corpus.sh FOLDER
set -euo pipefail

folder=${1:?usage: make_fuzz_corpus.sh FOLDER}
mkdir -p "$folder"

# make NAME OPTIONS...: ten frames of 64x48, with a tone where the container holds sound
make() {
  local name=$1
  shift
  ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=64x48:r=10:d=1 -f lavfi -i sine=d=1 \
    -b:a 32k "$@" "$folder/$name" ||
    { echo "$name: this ffmpeg cannot make it, left out" >&2; rm -f "$folder/$name"; }
}

make h264.mp4 -c:v libx264 -g 4
make h264_rotated.mov -c:v libx264 -c:a pcm_s16le -metadata:s:v rotate=90
make h264_fragmented.mp4 -c:v libx264 -movflags frag_keyframe+empty_moov
make h264.mkv -c:v libx264 -pix_fmt yuv444p10le
make h264.flv -c:v libx264 -bf 0
make h264.ts -c:v libx264
make h264.h264 -c:v libx264
make hevc.mp4 -c:v libx265 -x265-params log-level=none
make hevc_hdr.mkv -c:v libx265 -x265-params log-level=none -pix_fmt yuv420p10le -color_trc smpte2084
make mpeg4.avi -c:v mpeg4
make mpeg2.mpg -c:v mpeg2video -flags +ilme+ildct
make vp8.webm -c:v libvpx
make vp9.webm -c:v libvpx-vp9
make av1.mkv -c:v libaom-av1 -cpu-used 8
make ffv1.mkv -c:v ffv1
make prores.mov -c:v prores_ks
make mjpeg.avi -c:v mjpeg -pix_fmt yuvj420p
make animation.gif
make animation.apng
make h263.3gp -c:v h263 -s 128x96 -c:a aac
make theora.ogv -c:v libtheora
ls "$folder" | wc -l
