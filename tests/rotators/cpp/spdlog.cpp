// spdlog: spdlog DIRECTORY MANNER SECONDS.
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

using Clock = std::chrono::system_clock;

// The numbered lines, as numbered.py has them.
static std::string line(int number) {
  auto now = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
  return fmt::format("line {:09} {:013} {}", number, now, std::string(1 + number * 7 % 80, 'x'));
}

int main(int, char** arguments) {
  const std::string file = std::string(arguments[1]) + "/app.log";
  auto logger = spdlog::rotating_logger_mt("app", file, 16'000, 1000);
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::info);
  std::cout << "writing" << std::endl;
  const auto end = Clock::now() + std::chrono::duration<double>(std::stod(arguments[3]));
  int number = 0;
  while (Clock::now() < end) {
    for (int i = 0; i < 10; i++) logger->info(line(number++));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  spdlog::shutdown();
  std::cout << number << std::endl;
}
