defmodule Gateway.RateLimiter do
  @moduledoc """
  Limits requests by client with a token bucket.

      iex> RateLimiter.allow?(pid, "client")
      true
  """
  use GenServer

  alias Gateway.{Clock, Metrics}
  require Logger

  @refill_ms 1_000
  @default_limit 20

  defstruct [:limit, :clock, buckets: %{}]

  @type client :: String.t()

  @doc "Starts a limiter; `:limit` requests a second for each client."
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(options \\ []) do
    {name, options} = Keyword.pop(options, :name, __MODULE__)
    GenServer.start_link(__MODULE__, options, name: name)
  end

  @spec allow?(GenServer.server(), client) :: boolean
  def allow?(server, client), do: GenServer.call(server, {:take, client})

  @impl true
  def init(options) do
    limit = Keyword.get(options, :limit, @default_limit)
    clock = Keyword.get(options, :clock, Clock)

    if limit < 1 do
      {:stop, :bad_limit}
    else
      schedule_refill()
      {:ok, %__MODULE__{limit: limit, clock: clock}}
    end
  end

  @impl true
  def handle_call({:take, client}, _from, state) do
    tokens = Map.get(state.buckets, client, state.limit)

    case tokens do
      0 ->
        Metrics.increment("limiter.refused")
        {:reply, false, state}

      left when left < 5 ->
        Logger.warning("client #{client} has #{left} requests left")
        {:reply, true, put_tokens(state, client, left - 1)}

      left ->
        {:reply, true, put_tokens(state, client, left - 1)}
    end
  end

  @impl true
  def handle_info(:refill, state) do
    schedule_refill()

    buckets =
      state.buckets
      |> Enum.map(fn {client, tokens} ->
        refilled = min(tokens + state.limit, state.limit)
        {client, refilled}
      end)
      |> Enum.reject(fn {_client, tokens} -> tokens == state.limit end)
      |> Map.new()

    {:noreply, %{state | buckets: buckets}}
  end

  def load(path) do
    with {:ok, text} <- File.read(path),
         {:ok, limits} <- Jason.decode(text) do
      Map.new(limits)
    else
      {:error, reason} ->
        Logger.error("cannot read limits: #{inspect(reason)}")
        %{}
    end
  end

  def measure(fun) do
    started = System.monotonic_time()

    try do
      fun.()
    rescue
      error in ArgumentError ->
        Logger.error(Exception.message(error))
        reraise error, __STACKTRACE__
    after
      Metrics.timing("limiter.call", System.monotonic_time() - started)
    end
  end

  defp put_tokens(state, client, tokens) do
    %{state | buckets: Map.put(state.buckets, client, tokens)}
  end

  defp schedule_refill do
    Process.send_after(self(), :refill, @refill_ms)
  end
end
