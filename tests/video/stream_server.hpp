/// A network peer for tests, on the loopback interface only, that misbehaves as told.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace vostrack::test {

/// Whether what a client says first is read before the script runs.
enum class Greeting { kRequest, kNone };

inline double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Serves one connection after the other.
class StreamServer {
 public:
  /// One client, as the script sees it.
  class Client {
   public:
    Client(int socket, const std::atomic<bool>& stopped) : socket_(socket), stopped_(stopped) {}
    /// False when the client has gone or the server stops.
    bool send(const std::string& bytes) {
      std::size_t done = 0;
      while (!stopped_ && done < bytes.size()) {
        const auto sent = ::send(socket_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        done += static_cast<std::size_t>(sent);
      }
      return done == bytes.size();
    }
    /// What the client says, to an empty line; empty when it has gone or the server stops.
    std::string receive_head() {
      std::string head;
      char byte = 0;
      while (!stopped_ && !head.ends_with("\r\n\r\n")) {
        if (!readable(socket_)) continue;
        if (::recv(socket_, &byte, 1, 0) <= 0) return {};
        head += byte;
      }
      return stopped_ ? std::string() : head;
    }
    /// Says nothing for a while, without closing, unless the client goes.
    void stall(double seconds) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
      while (!stopped_ && !has_gone() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }

   private:
    bool has_gone() const {
      char byte;
      return ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    }

    int socket_;
    const std::atomic<bool>& stopped_;
  };

  /// @param script  what to do with the n-th connection, from 0; returning closes it
  explicit StreamServer(std::function<void(Client&, int)> script,
                        Greeting greeting = Greeting::kRequest)
      : script_(std::move(script)), greeting_(greeting) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 4) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no socket on the loopback interface");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~StreamServer() { stop(); }
  StreamServer(const StreamServer&) = delete;
  StreamServer& operator=(const StreamServer&) = delete;

  std::string address(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + (scheme == "tcp" ? "" : "/stream");
  }
  int connections() const { return connections_; }

  /// Goes away for good: nobody can connect any more.
  void stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(listener_);
    listener_ = -1;
  }

 private:
  static bool readable(int socket) {
    pollfd waiting{socket, POLLIN, 0};
    return ::poll(&waiting, 1, 20) > 0;
  }

  void serve() {
    while (!stopped_) {
      if (!readable(listener_)) continue;
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      timeval limit{1, 0};  // a client that does not read must not hold us up
      ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
      answer(socket);
      ::close(socket);
    }
  }

  void answer(int socket) {
    Client client(socket, stopped_);
    if (greeting_ == Greeting::kRequest && client.receive_head().empty()) return;
    script_(client, connections_++);
  }

  std::function<void(Client&, int)> script_;
  Greeting greeting_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace vostrack::test
