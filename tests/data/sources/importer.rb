# frozen_string_literal: true

require "csv"
require_relative "store"

module Catalog
  # Reads products from CSV files, one transaction a file.
  class Importer
    include Enumerable

    HEADERS = %w[sku name price].freeze
    SQL = <<~SQL
      INSERT INTO products (sku, name)
      VALUES (:sku, :name) -- do end { }
      ON CONFLICT DO NOTHING
    SQL

    attr_reader :errors, :count

    class << self
      def open(path, **options)
        importer = new(path, **options)
        return importer unless block_given?

        begin
          yield importer
        ensure
          importer.close
        end
      end
    end

    def initialize(path, store: Store.default, logger: nil)
      @path = path
      @store = store
      @logger = logger
      @errors = []
      @count = 0
    end

    def each
      return enum_for(:each) unless block_given?

      CSV.foreach(@path, headers: true).with_index(2) do |row, line|
        missing = HEADERS.reject { |name| row[name] }
        if missing.any?
          @errors << "line #{line}: no #{missing.map { |name| "`#{name}`" }.join(', ')}"
          next
        end
        yield row.to_h.transform_keys(&:to_sym)
      end
    end

    def run!
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      @store.transaction do
        each do |product|
          @store.execute(SQL, product)
          @count += 1
        end
      end
    rescue CSV::MalformedCSVError, Store::Error => e
      @errors << e.message
      retry if (attempts = (attempts || 0) + 1) < 3
      false
    else
      log(:info, "imported #{@count}")
      true
    ensure
      @elapsed = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
    end

    def price(text)
      case text
      when /\A\d+(?:\.\d{2})?\z/
        (text.to_f * 100).round
      when nil, ""
        0
      else
        raise ArgumentError, "not a price: #{text.inspect}"
      end
    end

    def summary
      status = if errors.empty?
                 :ok
               elsif count.positive?
                 :partial
               else
                 :failed
               end
      case { status: status, count: count }
      in { status: :ok, count: Integer => n }
        "#{n} products"
      in { status: }
        "#{status}: #{errors.first}"
      end
    end

    private

    def log(level, message) = @logger&.public_send(level, message)

    def close
      @store.close while @store.open?
    rescue IOError
      nil
    end
  end
end

if $PROGRAM_NAME == __FILE__
  Catalog::Importer.open(ARGV.fetch(0)) do |importer|
    importer.run! or warn(importer.errors.join("\n"))
  end
end

__END__
sku,name,price
1,"a ""quoted"" name",2.50
