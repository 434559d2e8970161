/// An RTSP peer for tests, on the loopback interface only: an MPEG transport stream in RTP packets
/// within the control connection.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "video/stream_server.hpp"

namespace vostrack::test {

/// Answers the requests of a client until it asks to play.
///
/// Sources: RFC 2326, section 10 (methods) and 10.12 (interleaved packets)
inline bool begin_rtsp(StreamServer::Client& client) {
  const auto field = [](const std::string& request, const std::string& name) {
    const auto at = request.find("\r\n" + name + ": ");
    if (at == std::string::npos) return std::string();
    const auto from = at + name.size() + 4;
    return request.substr(from, request.find("\r\n", from) - from);
  };
  while (true) {
    const std::string request = client.receive_head();
    if (request.empty()) return false;
    const std::string method = request.substr(0, request.find(' '));
    std::string answer = "RTSP/1.0 200 OK\r\nCSeq: " + field(request, "CSeq") + "\r\n";
    std::string body;
    if (method == "OPTIONS") answer += "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n";
    if (method == "DESCRIBE") {
      body =
          "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\n"
          "a=control:track\r\n";
      answer += "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n";
    }
    if (method == "SETUP") answer += "Transport: " + field(request, "Transport") + "\r\n";
    if (method == "SETUP" || method == "PLAY") answer += "Session: 1\r\n";
    if (!client.send(answer + "\r\n" + body)) return false;
    if (method == "PLAY") return true;
  }
}

/// Some transport packets as one RTP packet.
///
/// Sources: RFC 3550, section 5.1; RFC 2250, section 2 (payload type 33, a clock of 90 kHz)
inline std::string rtp_packet(const std::string& payload, std::uint16_t number) {
  const auto byte = [](unsigned value) { return static_cast<char>(value & 0xFF); };
  const unsigned time = number * 900U;
  const std::size_t size = 12 + payload.size();
  std::string packet = {'$', 0, byte(static_cast<unsigned>(size >> 8)),
                        byte(static_cast<unsigned>(size))};
  packet += {byte(0x80), byte(33), byte(number >> 8U), byte(number)};
  packet += {byte(time >> 24), byte(time >> 16), byte(time >> 8), byte(time), 0, 0, 0, 1};
  return packet + payload;
}

}  // namespace vostrack::test
