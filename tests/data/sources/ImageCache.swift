import Foundation

/// Where images come from when the cache lacks them.
protocol ImageSource {
    var name: String { get }
    func load(_ url: URL) async throws -> Data
}

enum CacheError: Error {
    case missing(URL)
    case tooLarge(Int)
    case offline
}

/// Keeps images in memory up to a number of bytes.
final class ImageCache {
    private let limit: Int
    private let source: ImageSource
    private var entries: [URL: Data] = [:]
    private var order: [URL] = []

    var size: Int {
        return entries.values.reduce(0) { sum, data in
            sum + data.count
        }
    }

    var isEmpty: Bool { entries.isEmpty }

    init(limit: Int = 10_000_000, source: ImageSource) {
        self.limit = limit
        self.source = source
    }

    deinit {
        entries.removeAll()
        order.removeAll()
    }

    func image(at url: URL) async throws -> Data {
        if let known = entries[url] {
            touch(url)
            return known
        } else if url.isFileURL {
            let data = try Data(contentsOf: url)
            try insert(data, for: url)
            return data
        } else {
            log("asking \(source.name)")
        }

        do {
            let data = try await source.load(url)
            try insert(data, for: url)
            return data
        } catch CacheError.offline {
            log("offline")
            throw CacheError.missing(url)
        } catch {
            throw error
        }
    }

    func insert(_ data: Data, for url: URL) throws {
        guard data.count <= limit else {
            throw CacheError.tooLarge(data.count)
        }

        while size + data.count > limit, let oldest = order.first {
            entries[oldest] = nil
            order.removeFirst()
        }
        entries[url] = data
        order.append(url)
    }

    func describe(_ error: CacheError) -> String {
        switch error {
        case .missing(let url):
            return "nothing at \(url)"
        case .tooLarge(let bytes):
            let kilobytes = bytes / 1024
            return "too large: \(kilobytes) kB"
        default:
            return "no connection"
        }
    }

    private func touch(_ url: URL) {
        order.removeAll { $0 == url }
        order.append(url)
    }

    private func log(_ message: String) {
        #if DEBUG
        print("[cache] \(message)")
        #endif
    }
}

extension ImageCache {
    func preload(_ urls: [URL]) async {
        for url in urls {
            let data = try? await image(at: url)
            if data == nil {
                print("cannot preload \(url)")
            }
        }
    }
}

let help = """
    if cache {
        keeps images
    """
