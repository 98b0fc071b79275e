// Let search work from file://, where browsers refuse to start a worker: run its script in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.documentElement.append(this.frame);
      const scope = this.frame.contentWindow;
      scope.postMessage = (data) => this.receive(structuredClone(data));
      this.loaded = new Promise((resolve) => {
        const script = scope.document.createElement("script");
        script.src = url;
        script.onload = resolve;
        scope.document.documentElement.append(script);
      });
    }

    postMessage(data) {
      const event = new MessageEvent("message", { data: structuredClone(data) }); // as a worker would get it
      this.loaded.then(() => this.frame.contentWindow?.onmessage(event));
    }

    receive(data) {
      setTimeout(() => this.onmessage?.(new MessageEvent("message", { data })));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
