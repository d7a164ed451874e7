using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Dio;
using NicHost.Testing;

namespace NicHost.DioOnWindows;

/// <summary>A NIC on the endpoint as Windows has it, with a device's queue and no guest behind it.</summary>
internal sealed class Guest : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly PostLoop _loop = new();
    private readonly FakeEndpointHost _host = new();
    private readonly FakeDeviceQueue _device;
    private readonly OffloadSet _accepts;
    private readonly IEndpoint _endpoint;
    private readonly TxBuilder _batch = new();
    private IEndpointQueue? _queue;

    private Guest(string options, int number, OffloadSet accepts)
    {
        _accepts = accepts;
        _device = new FakeDeviceQueue(2048, accepted: accepts);
        _endpoint = new DioFactory().Create(new EndpointContext
        {
            Nic = new NicIdentity("wine", $"nic{number}"),
            Mac = new MacAddress([0x52, 0x54, 0, 0, 0, (byte)number]),
            Mtu = 1500,
            Options = JsonDocument.Parse(options).RootElement,
            BaseDirectory = Path.GetTempPath(),
            Loop = _loop,
            Logging = NullLoggerFactory.Instance,
        });
    }

    public QueueCounters Counters { get; } = new();

    public IReadOnlyList<string> Troubles => _host.Troubles;

    public bool IsUp => _endpoint.Link.IsUp;

    public static async Task<Guest> StartAsync(int number, string options = """{"kind":"dio"}""", OffloadSet accepts = OffloadSet.None)
    {
        var guest = new Guest(options, number, accepts);
        try
        {
            await guest._loop.InvokeAsync(() =>
            {
                guest._endpoint.Start(guest._host);
                guest.Open();
            });
            return guest;
        }
        catch
        {
            await guest.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends all of it, waiting for room as a guest does.</summary>
    public async Task SendAsync(IEnumerable<(byte[] Frame, FrameOffload Offload)> frames)
    {
        foreach (var chunk in frames.Chunk(FrameLimits.MaxBatch))
        {
            for (var sent = 0; sent < chunk.Length;)
            {
                var readies = 0;
                sent += await _loop.InvokeAsync(() =>
                {
                    readies = _device.TransmitReadies;
                    foreach (var (frame, offload) in chunk.AsSpan(sent)) _batch.Add(frame, offload);
                    return _batch.TransmitTo(_queue!);
                });
                if (sent < chunk.Length) await UntilAsync(() => _device.TransmitReadies > readies, "room for frames");
            }
        }
    }

    public Task SendAsync(params byte[][] frames) => SendAsync(frames.Select(frame => (frame, default(FrameOffload))));

    /// <summary>Waits for so many frames and takes all there are.</summary>
    public async Task<List<ReceivedFrame>> ReceiveAsync(int count)
    {
        await UntilAsync(() => _device.Received.Count >= count, $"{count} frames");
        return await _loop.InvokeAsync(() =>
        {
            List<ReceivedFrame> all = [.. _device.Received];
            _device.Received.Clear();
            return all;
        });
    }

    public async Task UntilAsync(Func<bool> condition, string what)
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (!await _loop.InvokeAsync(condition))
        {
            if (TimeProvider.System.GetElapsedTime(begin) > Patience)
                throw new TimeoutException($"{what} in time; received {_device.Received.Count}, troubles: {string.Join(" / ", Troubles)}");
            await Task.Delay(1);
        }
    }

    public Task<T> OnLoopAsync<T>(Func<FakeDeviceQueue, T> work) => _loop.InvokeAsync(() => work(_device));

    public async ValueTask DisposeAsync()
    {
        await _loop.InvokeAsync(() => _queue?.Close());
        await _endpoint.DisposeAsync();
        _loop.Dispose();
        _device.Dispose();
        _batch.Dispose();
    }

    private void Open() => _queue = _endpoint.OpenQueue(new EndpointQueueConfig
    {
        Index = 0,
        Loop = _loop,
        Device = _device,
        AcceptedRx = _accepts,
        MaxRxFrame = 1514,
        Counters = Counters,
    });
}
