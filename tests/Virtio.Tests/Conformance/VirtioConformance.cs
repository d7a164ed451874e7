using NicHost.Contracts.Devices;
using NicHost.Contracts.Loops;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicHost.Virtio.Tests.Conformance;

public sealed class VirtioConformance : NegotiatingDeviceConformance
{
    protected override IDevice CreateDevice(IEventLoop loop, string socket, int queues, int mtu) =>
        new VirtioFactory().Create(TestNic.DeviceContext(loop, $$"""{"kind":"virtio","socket":"{{socket}}","queues":{{queues}}}""", mtu));

    protected override DeviceChange Change(IEventLoop loop, string socket) => new(
        new VirtioFactory(),
        TestNic.DeviceContext(loop, $$"""{"kind":"virtio","socket":"{{socket}}"}"""),
        TestNic.DeviceContext(loop, $$"""{"kind":"virtio","socket":"{{socket}}","socketMode":"0666","linkByReconnect":false}"""));

    protected override INegotiatingGuestDriver CreateDriver(string socket) => new ProbeDriver(socket);
}
